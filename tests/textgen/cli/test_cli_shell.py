"""A shell that forgives: models and texts without flags, a conversation, listings, completion, help."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shlex
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.support.textgen.bundles import write_random_bundle
from tests.support.textgen.command import textgen
from textgen.cli import cli
from textgen.cli.common.examples import EXAMPLES
from textgen.model import TextModel


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a text and a model."""
    folder = tmp_path_factory.mktemp("texts") / "plays"
    write_random_bundle(folder / "model", "gru")
    (folder / "input.txt").write_text("the end\n" * 100)
    return folder


def commands(command: click.Command = cli, path: str = "textgen") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            further = command.get_command(context, name)
            assert further is not None
            yield from commands(further, name if path == "textgen" else f"{path} {name}")


def test_every_help_ends_with_two_examples() -> None:
    found = dict(commands())
    assert set(EXAMPLES) == set(found)
    for path, command in found.items():
        context = click.Context(command, info_name=path, max_content_width=100)
        shown = command.get_help(context).split("Examples:\n")[1]
        assert [line.strip() for line in shown.splitlines()] == list(EXAMPLES[path])
        assert len(EXAMPLES[path]) == 2


@pytest.mark.parametrize("line", sorted({line for lines in EXAMPLES.values() for line in lines}))
def test_every_example_can_be_typed(line: str) -> None:
    words = shlex.split(re.sub(r'^eval "\$\((.*)\)"$', r"\1", line).rpartition("| ")[2])
    assert words.pop(0) == "textgen"
    command: click.Command = cli
    while isinstance(command, click.Group):
        name = words.pop(0)
        further = command.get_command(click.Context(command), name)
        assert further is not None, name
        command = further
    # Neither raises an error of usage, nor does anything.
    command.make_context("textgen", words)


@pytest.mark.parametrize("columns", ["40", "200"])
def test_help_fits_a_narrow_terminal(columns: str) -> None:
    for arguments in ([], ["serve"], ["corpus", "stats"]):
        result = textgen(*arguments, "--help", COLUMNS=columns)
        assert result.returncode == 0
        assert "Examples:" in result.stdout


def test_a_model_needs_no_flag(plays: Path) -> None:
    flags = ("--length", "30", "--random-seed", "4", "--seed", "the ")
    expected = "the " + TextModel.load(plays / "model").generate("the ", length=30, random_seed=4) + "\n"
    for named in ([plays], [plays / "model"], ["--model", plays / "model"], ["--data-dir", plays]):
        result = textgen("sample", *named, *flags)
        assert (result.returncode, result.stdout, result.stderr) == (0, expected, "random seed 4\n")


def test_a_seed_can_be_read_from_standard_input(plays: Path) -> None:
    flags = ("--length", "30", "--random-seed", "4", "--quiet")
    typed = textgen("sample", plays, "--seed", "-", *flags, stdin="the end\nA din\n")
    given = textgen("sample", plays, "--seed", "the end\nA din", *flags)
    assert typed.stdout == given.stdout
    assert typed.stderr == ""
    refused = textgen("sample", plays, "--seed", "-", *flags, stdin="the " * 50_000)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "at most 100,000 are read" in refused.stderr


@pytest.mark.slow
def test_two_models_or_none_are_wrong_usage(plays: Path) -> None:
    for arguments, words in (
        (["sample", plays, "--model", plays / "model"], "MODEL and --model name two models"),
        (["sample", "--data-dir", plays, "--base", "x"], "--data-dir and --base name two models"),
        (["sample"], "give a model: MODEL, --data-dir, --model or --base"),
        (["chat"], "Missing argument 'MODEL'"),
        (["train"], "give the texts to train on"),
        (["train", "a.txt", "--data-dir", "b"], "give the texts to train on"),
    ):
        result = textgen(*arguments)
        assert result.returncode == 2
        assert words in result.stderr
    result = textgen("sample", plays, plays)
    assert result.returncode == 2


@pytest.mark.slow
def test_a_text_is_no_model_and_a_model_no_text(plays: Path) -> None:
    for arguments, words in (
        (["sample", plays / "input.txt"], "is a file, and a model is a folder; `textgen train"),
        (["chat", plays / "input.txt"], "is a file, and a model is a folder"),
        (["train", plays / "model"], "is a model, not a text"),
        (["sample", "--quiet", plays / "nowhere"], "is not there"),
    ):
        result = textgen(*arguments)
        assert result.returncode == 1
        assert result.stderr.startswith("error: ")
        assert words in result.stderr
        assert result.stderr.count("\n") == 1


@pytest.mark.slow
def test_files_and_folders_train_one_model(corpus: Path, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear aunt, the moon sings to an open door.\n" * 20)
    result = textgen("train", corpus, letter, "--time-limit", "1", "--quiet")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert result.stdout.startswith(f"{corpus}/model: validation loss")
    made = json.loads(textgen("inspect", corpus / "model", "--json").stdout)
    assert made["characters"] > 20_000
    alone = textgen("train", letter, "--time-limit", "1")
    assert alone.stdout.startswith(f"{tmp_path}/model: ")
    assert "note: there was no time for a step" in alone.stderr


def test_models_are_listed_where_they_lie(plays: Path) -> None:
    write_random_bundle(plays.parent / "lists" / "deep" / "names", "linear")
    (plays.parent / "broken" / "model").mkdir(parents=True, exist_ok=True)
    (plays.parent / "broken" / "model" / "manifest.json").write_text("[")
    result = textgen("models", folder=plays.parent)
    assert result.returncode == 0
    lines = [line.split("  ") for line in result.stdout.splitlines()]
    assert sorted(line[0] for line in lines) == ["lists/deep/names", "plays/model"]
    assert lines[0][1:4] == ["char level", "1,000 characters", "1.500 nats"]
    told = [json.loads(line) for line in textgen("models", plays, "--json").stdout.splitlines()]
    assert [(model["path"], model["level"]) for model in told] == [(str(plays / "model"), "char")]
    empty = textgen("models", plays.parent / "broken")
    assert (empty.returncode, empty.stdout) == (0, "")
    assert "`textgen train FILE` makes one" in empty.stderr
    refused = textgen("models", plays / "input.txt")
    assert refused.returncode == 1
    assert "is not a folder" in refused.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_options(shell: str) -> None:
    script = textgen("completion", shell).stdout
    assert f"_TEXTGEN_COMPLETE={shell}_complete" in script
    typed = {"COMP_WORDS": "textgen sam", "COMP_CWORD": "sam" if shell == "fish" else "1"}
    code = "import sys; sys.argv[0] = 'textgen'; from textgen.__main__ import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **typed, "_TEXTGEN_COMPLETE": f"{shell}_complete"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "sample" in result.stdout
    assert "train" not in result.stdout


def test_a_conversation_goes_on_from_what_is_typed(plays: Path) -> None:
    lines = ["the ", "/again", "/more", "/temperature 0", "/temperature", "/temperature x", "/length 0",
             "/length 20", "A din", "/dance", "/help", "ß", "/quit", "never read"]  # fmt: skip
    flags = ("--length", "30", "--random-seed", "4")
    result = textgen("chat", plays, *flags, stdin="\n".join(lines) + "\n")
    assert result.returncode == 0
    model = TextModel.load(plays / "model")
    first, again = (model.generate("the ", length=30, random_seed=seed) for seed in (4, 5))
    more = model.generate("the " + again, length=30, random_seed=6)
    greedy = model.generate("A din", length=20, random_seed=7, temperature=0)
    assert result.stdout == f"the {first}\nthe {again}\n{more}\nA din{greedy}\n"
    for words in ("type a beginning", "temperature is 0", "'x' is no number", "length is 0; it must be",
                  "there is no /dance", "/more ", "never seen 'ß'"):  # fmt: skip
        assert words in result.stderr
    assert textgen("chat", plays, stdin="/again\n").stderr.endswith("type a beginning first\n")


def _take_terminal() -> None:
    """Make standard input the terminal that sends signals; whoever runs the tests may ignore them."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A terminal of 40 columns that a command runs on."""

    def __init__(self, *arguments: str | Path, **environment: str) -> None:
        self.screen = ""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
        unset = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "textgen", *map(str, arguments)],
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=_take_terminal,
            env={**unset, "TERM": "xterm-256color", **environment},
        )  # fmt: skip
        os.close(theirs)
        self._ours = ours

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def until(self, words: str) -> None:
        """Read until some words come, and forget what was read up to them: more may come at once."""
        while words not in self.screen:
            self.screen = self.screen[-5_000:]
            assert self._read(), self.screen
        self.screen = self.screen.partition(words)[2]

    def more_than(self, characters: int) -> None:
        """Read so much."""
        self.screen = ""
        while len(self.screen) <= characters:
            assert self._read(), self.screen

    def end(self) -> int:
        while self._read():
            pass
        os.close(self._ours)
        return self.process.wait(60)

    def _read(self) -> bool:
        try:
            data = os.read(self._ours, 4096)
        except OSError:  # Linux's way of saying that the other side is closed
            return False
        self.screen += data.decode(errors="replace")
        return bool(data)


def test_a_conversation_at_a_terminal_has_a_history_and_an_end(plays: Path) -> None:
    terminal = Terminal("chat", plays, "--length", "1000000")
    terminal.until("> ")
    terminal.type("the \n")
    terminal.more_than(2_000)
    terminal.type("\x03")  # Ctrl-C ends the text, not the conversation
    terminal.until("> ")
    terminal.type("/length 5\n")
    terminal.until("> ")
    terminal.type("\x1b[A\x1b[A\n")  # twice up: the first line again
    terminal.until("the ")
    terminal.until("> ")
    terminal.type("\x04")
    assert terminal.end() == 0


@pytest.mark.parametrize("colours", [True, False])
@pytest.mark.slow
def test_progress_obeys_no_color_and_a_narrow_terminal(corpus: Path, colours: bool) -> None:
    terminal = Terminal("train", corpus, "--time-limit", "1", **({} if colours else {"NO_COLOR": "1"}))
    assert terminal.end() == 0
    assert "validation loss" in terminal.screen
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", terminal.screen)) is colours


def test_what_is_no_utf_8_is_escaped(plays: Path) -> None:
    result = textgen(
        "chat", plays, "--length", "5", stdin="/temperature ü\n/quit\n", PYTHONIOENCODING="ascii"
    )
    assert result.returncode == 0
    assert result.stderr.isascii()
