"""docs/architecture.md says what the code does: its folders, its layers, and its ways along the imports."""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGES = ("bot", "textgen", "models")
NO_CODE = {"__pycache__", "locales"}


def sections(level: int) -> dict[str, str]:
    """Heading → text below it, up to the next heading of this level or above."""
    parts = re.split(rf"^#{{2,{level}}} (.+)\n", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


WAYS = {
    heading: re.findall(r"^\d+\. `([^`]+)`(?: \(started by `([^`]+)`\))?:", text, re.MULTILINE)
    for heading, text in sections(3).items()
    if re.search(r"^1\. `", text, re.MULTILINE)
}


@functools.cache
def tree(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def file_of(module: str) -> str | None:
    """The path of one of our modules or packages, from the repository's root."""
    base = module.replace(".", "/")
    return next((path for path in (f"{base}.py", f"{base}/__init__.py") if (ROOT / path).is_file()), None)


@functools.cache
def imports(path: str) -> frozenset[str]:
    """Files of ours that a file imports, and those that define what it imports from a package."""
    found: set[str | None] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {file_of(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            package = file_of(node.module)
            for alias in node.names:
                found |= {file_of(f"{node.module}.{alias.name}"), package}
                if package and package.endswith("__init__.py") and package != path:
                    found.add(re_exported(package, alias.name))
    return frozenset(found - {None, path})


def re_exported(package: str, name: str) -> str | None:
    """The file from which a package takes a name that it offers."""
    for node in ast.walk(tree(package)):
        if isinstance(node, ast.ImportFrom) and node.module and name in {each.name for each in node.names}:
            return file_of(f"{node.module}.{name}") or file_of(node.module)
    return None


def starts(starter: str, path: str) -> bool:
    """Whether a file names a module in strings: whole, or as a package and a name in it."""
    strings = {
        node.value
        for node in ast.walk(tree(starter))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    module = path.removesuffix(".py").replace("/", ".")
    package, _, name = module.rpartition(".")
    return module in strings or (
        name in strings and bool({package + ".", package, package.split(".")[0]} & strings)
    )


def folders(package: str) -> set[str]:
    return {
        f"{path.relative_to(ROOT)}/"
        for path in (ROOT / package).rglob("*")
        if path.is_dir() and not NO_CODE & set(path.relative_to(ROOT).parts)
    }


def listed(package: str) -> list[str]:
    """What the table of a package names, in its order."""
    return re.findall(rf"^\| `({package}/[^`]+)` \|", PAGE, re.MULTILINE)


def test_there_are_four_ways() -> None:
    assert len(WAYS) == 4
    assert all(len(way) >= 8 for way in WAYS.values())


@pytest.mark.parametrize("name", WAYS)
def test_the_files_of_a_way_are_numbered_in_order(name: str) -> None:
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", sections(3)[name], re.MULTILINE)]
    assert numbers == list(range(1, len(WAYS[name]) + 1))


@pytest.mark.parametrize("name", WAYS)
def test_a_way_follows_the_imports(name: str) -> None:
    paths = [path for path, _ in WAYS[name]]
    assert [path for path in paths if not (ROOT / path).is_file()] == []
    for number, (path, starter) in enumerate(WAYS[name]):
        before = paths[:number]
        if starter:
            assert starter in before, f"{path}: {starter} does not stand before it"
            assert starts(starter, path), f"{starter} does not name {path}"
        elif before:
            assert any(path in imports(each) for each in before), f"nothing before {path} imports it"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_is_named_and_every_name_is_there(package: str) -> None:
    assert {name for name in listed(package) if name.endswith("/")} == folders(package)
    named = re.findall(r"`((?:bot|textgen|models|migrations|tests)/[^`*]*)`", PAGE)
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("package", ["bot", "textgen"])
def test_the_folders_stand_in_the_order_of_the_layers(package: str) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (each["layers"] for each in contracts if each.get("containers") == [package])
    order = {name: place for place, layer in enumerate(layers) for name in re.findall(r"\w+", layer)}
    places = [order[path.split("/")[1].removesuffix(".py")] for path in listed(package)]
    assert places == sorted(places)
    assert set(places) == set(range(len(layers)))


def test_a_file_that_is_not_imported_breaks_a_way() -> None:
    assert "bot/generation/pool.py" not in imports("bot/commands/help.py")
    assert not starts("bot/generation/sampler.py", "textgen/cli/train.py")


def test_every_file_that_is_linked_is_there() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
