"""The library's page on a package registry: its examples run, and nothing on it needs this repository."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.project.test_readme import quicker, run

ROOT = Path(__file__).parents[2]
NAME = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["readme"]
PAGE = (ROOT / NAME).read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    return str(found)


def test_nothing_on_it_is_a_relative_link_or_picture() -> None:
    assert re.findall(r"\]\((?!https://)[^)]*\)", PAGE) == []
    assert "<img" not in PAGE


@pytest.mark.slow
def test_its_examples_run(tmp_path: Path, corpus_text: str) -> None:
    (tmp_path / "notes.txt").write_text(corpus_text, encoding="utf-8")
    (tmp_path / "diary").mkdir()
    (tmp_path / "diary" / "monday.md").write_text(corpus_text[:5000], encoding="utf-8")
    *lines, serve = block("sh").splitlines()
    assert serve == "textgen serve --http notes", "test_readme.py runs it"
    for line in lines:
        result = run(f".venv/bin/{quicker(line)} < /dev/null", tmp_path)
        assert result.returncode == 0, (line, result.stderr)
    (tmp_path / "example.py").write_text(quicker(block("python")), encoding="utf-8")
    result = run(".venv/bin/python example.py", tmp_path, PYTHONPATH=str(ROOT))
    assert result.returncode == 0, result.stderr
    assert len(result.stdout) > 200
