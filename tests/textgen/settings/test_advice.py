"""An error advises only what its reader has, and the advice works."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import pytest

import textgen
from tests.support.textgen.bundles import write_random_bundle
from tests.support.texts import hard_inputs
from textgen.cli import cli, flags_of
from textgen.errors import CorpusError, TextgenError

SOURCES = Path(textgen.__file__).parent
FLAG = re.compile(r"--[a-z][a-z-]+")


def commands(group: click.Group) -> list[click.Command]:
    found: list[click.Command] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found += commands(command) if isinstance(command, click.Group) else [command]
    return found


def texts(node: ast.AST) -> str:
    return " ".join(
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


def test_only_the_advice_of_an_error_names_flags() -> None:
    flags = {flag for command in commands(cli) for parameter in command.params for flag in parameter.opts}
    advised: set[str] = set()
    # A command's own module knows its own flags.
    for path in (path for path in SOURCES.rglob("*.py") if path.parent.name != "cli"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            for keyword in call.keywords:
                if keyword.arg == "advice":
                    advised |= set(FLAG.findall(texts(keyword.value)))
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            if name.endswith("Error"):
                assert not [arg for arg in call.args if FLAG.search(texts(arg))], f"{path}:{call.lineno}"
    assert advised >= {"--column", "--force", "--output"}
    assert advised <= flags


def test_advice_names_flags_keywords_or_neither() -> None:
    error = CorpusError("{name} is bad", advice=["give --one {name}", "--two-three"], name="x")
    assert error.plain == "x is bad"
    assert str(error) == "x is bad; give one x, or two_three"
    assert error.with_flags({"--one", "--two-three"}) == "x is bad; give --one x, or --two-three"
    assert error.with_flags({"--two-three"}) == "x is bad; --two-three"
    assert error.with_flags(()) == "x is bad"
    assert str(TextgenError("braces {stay}", advice=["{too}"])) == "braces {stay}; {too}"


def said(*arguments: object) -> str:
    given = list(map(str, arguments))
    try:
        cli.main(given, standalone_mode=False)
    except TextgenError as error:
        return error.with_flags(flags_of(given))
    return ""


@pytest.mark.parametrize("command", ["stats", "unwrap", "split", "evaluate"])
def test_the_advice_for_bytes_that_are_no_utf_8_works(tmp_path: Path, command: str) -> None:
    (tmp_path / "input.txt").write_bytes(hard_inputs.WINDOWS_1252)
    write_random_bundle(tmp_path / "model")
    arguments = {
        "stats": ("corpus", "stats", tmp_path / "input.txt"),
        "unwrap": ("corpus", "unwrap", tmp_path / "input.txt"),
        "split": ("corpus", "split", tmp_path),
        "evaluate": ("evaluate", "--model", tmp_path / "model", tmp_path / "input.txt"),
    }[command]
    told = said(*arguments)
    ways = re.findall(r"give (--[a-z-]+) ([\w-]+)", told)
    assert ("--encoding", "windows-1252") in ways
    # The parts of a divided text are its own bytes: none of them may be replaced.
    assert (("--encoding-errors", "replace") in ways) == (command != "split")
    for flag, value in ways:
        assert said(*arguments, flag, value) == ""


def test_a_column_is_advised_and_works_by_its_name_and_its_number(tmp_path: Path) -> None:
    table = tmp_path / "posts.csv"
    table.write_text("id,text\n1,To be\n", encoding="utf-8")
    assert "; give --column NAME" in said("corpus", "stats", table)
    assert said("corpus", "stats", table, "--column", "Text") == ""
    assert said("corpus", "stats", table, "--column", "2") == ""
    plain = tmp_path / "a.txt"
    plain.write_text("To be", encoding="utf-8")
    told = said("corpus", "stats", plain, "--column", "text")
    assert "a.txt is no table: a column, here 'text', is for .csv, .tsv, .jsonl" in told
    assert "leave --column out" in told
