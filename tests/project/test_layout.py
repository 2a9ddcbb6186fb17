"""The size of files and folders: a file is one idea, and a folder is read at one glance."""

from pathlib import Path

import pytest

PACKAGES = ("bot", "textgen", "models", "migrations")
LINES, FILES, LOOSE = 300, 12, 6


@pytest.mark.parametrize("package", PACKAGES)
def test_no_file_is_longer_than_can_be_read_at_once(root: Path, package: str) -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in (root / package).rglob("*.py")}
    assert lengths
    assert not {path: length for path, length in lengths.items() if length > LINES}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folder_holds_more_files_than_can_be_seen_at_once(root: Path, package: str) -> None:
    folders = [root / package, *(path for path in (root / package).rglob("*") if path.is_dir())]
    counts = {folder: len(list(folder.glob("*.py"))) for folder in folders if folder.name != "versions"}
    assert not {folder: count for folder, count in counts.items() if count > FILES}


@pytest.mark.parametrize("package", ["bot", "textgen"])
def test_few_modules_lie_beside_the_folders(root: Path, package: str) -> None:
    assert len(list((root / package).glob("*.py"))) <= LOOSE
