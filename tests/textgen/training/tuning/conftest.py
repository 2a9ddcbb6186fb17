from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.textgen import bases as tiny


@pytest.fixture(scope="session")
def added(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of bases with one tiny base, made once."""
    folder = tmp_path_factory.mktemp("bases")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEXTGEN_BASES", str(folder))
        tiny.add()
    return folder


@pytest.fixture(autouse=True)
def bases(added: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test finds the tiny base."""
    monkeypatch.setenv("TEXTGEN_BASES", str(added))
    return added
