"""README's pictures: what is committed is complete and small, and the script still makes them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.support import needs

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "first-look"
PICTURES = ("learns.gif", "models.png", "schedule.png", "social.png", "train.png")
MOVING_BYTES, STILL_BYTES = 400_000, 100_000


def check(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == list(PICTURES)
    with Image.open(folder / "learns.gif") as moving:
        assert moving.n_frames > 10
        assert moving.info["loop"] == 0
    with Image.open(folder / "social.png") as picture:
        assert picture.size == (1280, 640)
    for path in folder.iterdir():
        assert path.stat().st_size <= (MOVING_BYTES if path.suffix == ".gif" else STILL_BYTES), path.name


def test_the_pictures_are_small_and_complete() -> None:
    check(FOLDER)


def test_readme_describes_every_picture_that_it_shows() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[([^\]]*)\]\(docs/first-look/([^)]+)\)", readme)
    assert sorted(name for _, name in shown) == [name for name in PICTURES if name != "social.png"]
    assert all(len(description) > 40 for description, _ in shown)


@needs.chromium
@pytest.mark.slow
def test_the_script_makes_them_from_the_page_as_it_is_now(tmp_path: Path, trained_bundle: Path) -> None:
    command = [sys.executable, "-m", "tests.pictures", "--short"]
    options = ["--output", str(tmp_path / "made"), "--model", str(trained_bundle)]
    made = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert made.returncode == 0, made.stderr[-2000:]
    check(tmp_path / "made")
