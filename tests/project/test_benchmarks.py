"""`make bench` runs: scripts import what is there (linters do not look into strings), the bot starts."""

import ast
import importlib.util
from pathlib import Path

import pytest

from benchmarks.code_lines import code_lines
from benchmarks.servers import COMMANDS, Running

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
OURS = ("bot", "textgen", "models", "migrations")


def scripts(path: Path) -> list[ast.Module]:
    """Programs that a module holds as strings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [ast.parse(text) for text in strings if isinstance(text, str) and text.startswith("\nimport ")]


@pytest.mark.parametrize("path", sorted(BENCHMARKS.glob("*.py")), ids=lambda path: path.stem)
def test_scripts_import_what_is_there(path: Path) -> None:
    for script in scripts(path):
        for node in ast.walk(script):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(OURS):
                spec = importlib.util.find_spec(node.module)
                assert spec is not None, node.module
                text = Path(str(spec.origin)).read_text(encoding="utf-8")
                for alias in node.names:
                    module = f"{node.module}.{alias.name}" if spec.submodule_search_locations else None
                    there = module is not None and importlib.util.find_spec(module) is not None
                    assert there or alias.name in text, f"{node.module} has no {alias.name}"


def test_there_are_such_scripts() -> None:
    assert sum(len(scripts(path)) for path in BENCHMARKS.glob("*.py")) >= 3


def test_lines_with_code_are_neither_blank_nor_comments_nor_docstrings() -> None:
    source = (
        '"""A module.\n\n"""\n\n# A comment.\nx = (\n    1\n)\n\n\ndef f():\n    """Do it."""\n    y = x\n'
    )
    assert code_lines(source) == {6, 7, 8, 11, 13}


@pytest.mark.slow
async def test_the_bot_that_is_measured_starts_and_answers(tmp_path: Path) -> None:
    async with Running(3, tmp_path / "three", idle_s=1.0).started() as three:
        for number in range(len(COMMANDS)):
            await three.ask(number)
    assert {name: len(taken) for name, taken in three.taken_s.items()} == dict.fromkeys(COMMANDS, 1)
    assert three.figures["memory"] > 0
    assert "Traceback" not in (tmp_path / "three.log").read_text()
