"""`textgen base`, as somebody at a shell uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.textgen import base_sources, bases
from textgen.cli import cli
from textgen.errors import BundleError
from textgen.pretrained import store


def textgen(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [*map(str, arguments)], catch_exceptions=True)


@pytest.fixture(autouse=True)
def _bases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTGEN_BASES", str(tmp_path / "bases"))


def test_a_base_is_added_listed_and_removed(tmp_path: Path) -> None:
    base_sources.write_gguf(tmp_path / "tiny.gguf")
    assert "adds one" in textgen("base", "list").stderr
    added = textgen("base", "add", tmp_path / "tiny.gguf", "--name", "mine")
    assert added.exit_code == 0, added.output
    listed = textgen("base", "list")
    assert listed.stdout == added.stdout
    assert listed.stdout.startswith("mine  0 M parameters  0 MB  en  licence apache-2.0  from ")
    told = json.loads(textgen("base", "list", "--json").stdout)
    assert (told["name"], told["languages"], told["error"]) == ("mine", ["en"], None)
    assert told["parameters"] == store.find("mine").spec.parameters

    again = textgen("base", "add", tmp_path / "tiny.gguf", "--name", "mine")
    assert isinstance(again.exception, BundleError)
    assert again.exception.with_flags({"--name"}).endswith("or give another --name")
    assert textgen("base", "remove", "mine").stdout == "mine is removed, 0 MB\n"
    assert isinstance(textgen("base", "remove", "mine").exception, BundleError)
    assert textgen("base", "list").stdout == ""


def test_a_damaged_base_is_listed_as_such(tmp_path: Path) -> None:
    base_sources.write_gguf(tmp_path / "tiny.gguf")
    textgen("base", "add", tmp_path / "tiny.gguf")
    (store.folder() / "tiny" / "base.json").write_text("[]")
    assert "tiny  cannot be read: " in textgen("base", "list").stdout
    assert textgen("base", "remove", "tiny").exit_code == 0


def test_a_base_writes_as_it_is() -> None:
    bases.add()
    given = ("sample", "--base", "tiny", "--seed", "the bot", "--length", "30", "--random-seed", "5")
    text = textgen(*given)
    assert text.exit_code == 0, text.output
    assert text.stdout.startswith("the bot")
    assert text.stderr == "random seed 5\n"
    assert textgen(*given, "--stream").stdout == text.stdout
    told = json.loads(textgen(*given, "--json").stdout)
    assert told["seed"] + told["text"] + "\n" == text.stdout
    assert textgen(*given, "--model", "model").exit_code == 2
    missing = textgen("sample", "--base", "large")
    assert isinstance(missing.exception, BundleError)
    assert "there are tiny: `textgen base add SOURCE` adds one" in str(missing.exception)


def test_a_base_is_evaluated_in_windows_that_overlap(tmp_path: Path) -> None:
    bases.add()
    (tmp_path / "text.txt").write_text("the bot is in the bot. " * 60)
    told = json.loads(textgen("evaluate", "--base", "tiny", tmp_path / "text.txt", "--json").stdout)
    assert told["protocol"] == "windows, half overlap"
    assert 1 < told["nats_per_character"] < 4
    assert textgen("evaluate", tmp_path / "text.txt").exit_code == 2
