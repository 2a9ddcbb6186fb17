"""README's commands do what it says, as written there; only the minutes of its trainings become seconds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.documents import ROOT, blocks, quicker, run
from tests.support.textgen import bases
from tests.support.textgen.bundles import write_random_bundle
from tests.support.textgen.http_service import serving

README = (ROOT / "README.md").read_text(encoding="utf-8")
SERVE = ".venv/bin/textgen serve --http plays/model"
RUN_BELOW = (SERVE,)


def python_blocks() -> list[str]:
    return [block.text for block in blocks(README) if block.language == "python"]


def shell_lines() -> list[str]:
    return [line for block in blocks(README) if block.language == "sh" for line in block.lines]


def test_every_shell_line_is_of_a_kind_that_is_tested_here() -> None:
    kinds = ("make ", ".venv/bin/textgen ", ".venv/bin/pastiche ")
    assert [line for line in shell_lines() if not line.startswith(kinds)] == []


@pytest.mark.slow
def test_the_textgen_commands_run_one_after_the_other(
    tmp_path: Path, corpus_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A tiny base stands in for the one that `make setup-base` installs, and a play for the reader's notes.
    monkeypatch.setenv("TEXTGEN_BASES", str(tmp_path / "bases"))
    bases.add("smollm2")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "input.txt").write_text(corpus_text, encoding="utf-8")
    lines = [line for line in shell_lines() if "/textgen " in line and line not in RUN_BELOW]
    assert len(lines) >= 5
    for line in lines:
        result = run(quicker(line), tmp_path)
        assert result.returncode == 0, (line, result.stderr)
    assert (tmp_path / "plays" / "model" / "manifest.json").exists()


@pytest.mark.slow
def test_the_library_example_runs(tmp_path: Path) -> None:
    _, example = python_blocks()
    assert run(".venv/bin/textgen corpus shakespeare plays", tmp_path).returncode == 0
    (tmp_path / "example.py").write_text(quicker(example), encoding="utf-8")
    result = run(".venv/bin/python example.py", tmp_path, PYTHONPATH=str(ROOT))
    assert result.returncode == 0, result.stderr
    assert len(result.stdout) > 200


def test_the_service_answers_the_example_of_a_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example, _ = python_blocks()
    assert SERVE in shell_lines()
    write_random_bundle(tmp_path / "plays" / "model")
    monkeypatch.chdir(tmp_path)
    with serving("plays/model") as service:
        changed = example.replace("http://127.0.0.1:8000/v1", service.url)
        changed = changed.replace("the key that was printed", service.key)
        (tmp_path / "example.py").write_text(changed, encoding="utf-8")
        result = run(".venv/bin/python example.py", tmp_path)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout) == 201


@pytest.mark.parametrize("line", [line for line in shell_lines() if line.startswith("make ")])
def test_the_make_commands_exist(line: str) -> None:
    assert run(f"{line} --dry-run", ROOT).returncode == 0


def test_the_bot_starts_as_far_as_it_can_without_a_token(tmp_path: Path) -> None:
    (line,) = [line for line in shell_lines() if line.endswith("pastiche run")]
    result = run(line, tmp_path, DISCORD_TOKEN="", PASTICHE_DATA_DIR=str(tmp_path / "var"))
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert "DISCORD_TOKEN" in result.stderr
    assert result.stderr.count("\n") == 1


def test_every_file_that_readme_links_to_is_there() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
