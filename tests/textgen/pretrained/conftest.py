from __future__ import annotations

from pathlib import Path

import pytest

from textgen.pretrained import store


@pytest.fixture(autouse=True)
def bases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has bases of its own."""
    folder = tmp_path / "bases"
    monkeypatch.setenv(store.VARIABLE, str(folder))
    return folder
