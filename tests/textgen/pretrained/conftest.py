from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def bases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has bases of its own."""
    folder = tmp_path / "bases"
    monkeypatch.setenv("TEXTGEN_BASES", str(folder))
    return folder
