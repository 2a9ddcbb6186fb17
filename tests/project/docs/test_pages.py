"""The commands and examples in docs/ do what the pages say, and the outputs there are what they print."""

from __future__ import annotations

import importlib.util
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documents import ROOT, Block, blocks, form, is_run, run_page
from tests.support.make import make
from tests.support.textgen import bases

DOCS = ROOT / "docs"
PAGES = {
    path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md"))
}
CODE = [(name, block) for name, page in PAGES.items() for block in blocks(page)]
SHELL = [
    (name, line)
    for name, block in CODE
    if block.language == "sh" and block.reason is None
    for line in block.lines
]
PYTEST = ".venv/bin/python -m pytest "
# Tested where it is at home, in tests/bot/i18n: it writes into the project.
ELSEWHERE = {".venv/bin/python -m bot.catalogues.update"}
# Pages whose blocks take a second; the others train.
QUICK = ("explanations/loss.md", "how-to/host.md")


def has(page: str, *languages: str) -> bool:
    return any(
        block.reason is None and block.language in languages and any(map(is_run, block.lines))
        for block in blocks(page)
    )


RUN = [
    pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow)
    for name, page in PAGES.items()
    if has(page, "sh", "python")
]


@pytest.mark.timeout(900)  # a page has up to five trainings
@pytest.mark.parametrize("name", RUN)
def test_what_a_page_shows_runs_and_prints_what_it_says(
    name: str, tmp_path: Path, corpus_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "import pandas" in PAGES[name] and importlib.util.find_spec("pandas") is None:
        pytest.skip("pandas is not installed: run `make docs`")
    # A tiny base stands in for the one that `make setup-base` installs, and a play for the reader's notes.
    monkeypatch.setenv("TEXTGEN_BASES", str(tmp_path / "bases"))
    if "make setup-base" in PAGES[name]:
        bases.add("smollm2")
        (tmp_path / "notes").mkdir()
        (tmp_path / "notes" / "input.txt").write_text(corpus_text, encoding="utf-8")
    ran = 0
    for block, printed in run_page(PAGES[name], tmp_path, quick=True):
        ran += 1
        if block.output is None:
            continue
        if block.output.language == "text":
            assert form(printed) == form(block.output.text), block.text
        assert bool(printed.strip()) is bool(block.output.text.strip()), block.text
    assert ran


def test_what_stands_on_the_pages_is_of_a_kind_that_is_tested() -> None:
    assert {block.language for _, block in CODE} <= {"sh", "python", "text", "sql", "ini", "mermaid"}
    others = [line for _, line in SHELL if not is_run(line)]
    known = ("make ", PYTEST)
    assert [line for line in others if not line.strip().startswith(known) and line not in ELSEWHERE] == []


@pytest.mark.parametrize("line", sorted({line for _, line in SHELL if line.startswith("make ")}))
def test_the_make_commands_exist(line: str) -> None:
    done = make(ROOT, *shlex.split(line)[1:], "--dry-run")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("line", sorted({line for _, line in SHELL if line.startswith(PYTEST)}))
def test_the_tests_that_a_page_names_are_there(line: str) -> None:
    arguments = shlex.split(line.removeprefix(PYTEST))
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "block", [pytest.param(block, id=f"{name}:{block.start}") for name, block in CODE if block.reason]
)
def test_what_only_a_host_can_run_has_a_reason_and_its_syntax_is_right(block: Block) -> None:
    assert block.language == "sh"
    assert len(block.reason or "") > 10
    done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_figure_of_a_benchmark_names_the_command_the_machine_and_the_day() -> None:
    new = [page for name, page in PAGES.items() if name.startswith(("how-to/", "explanations/"))]
    measured = [part for page in new for part in page.split("\n\n") if "python -m benchmarks." in part]
    assert len(measured) >= 3
    for part in measured:
        if "2026-" not in part:  # it says how to measure, and has no figures
            continue
        assert "cores" in part, part


def test_the_outputs_of_the_tutorial_name_their_machine_and_day() -> None:
    made = PAGES["tutorial.md"].partition("<!-- made: begin -->")[2].partition("<!-- made: end -->")[0]
    assert "cores of" in made
    assert "docs.make_outputs` on 20" in made
