"""Scripts that `make bench` holds as strings import only what is there: linters do not look into strings."""

import ast
import importlib.util
from pathlib import Path

import pytest

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
