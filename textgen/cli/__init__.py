"""The command `textgen`.

The module of a subcommand is imported only when it is used: `textgen --help` must not wait for NumPy.
"""

from __future__ import annotations

import importlib
import os
import sys
import time

import click

from textgen import __version__
from textgen.cli.common import examples, streams
from textgen.errors import TextgenError, TrainingInterruptedError

# The matrices are small, so a second NumPy thread gains little. On a busy machine it waits for the first
# thread ten times as long as it works. Keras has threads of its own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

STARTED = time.monotonic()
"""About when the process started; time limits count from here."""

INTERRUPTED = 130

_COMMANDS = {
    "train": "Train a model on a corpus.",
    "sample": "Write text with a trained model.",
    "chat": "Type beginnings, and a model goes on from them.",
    "models": "List the models in a folder.",
    "verify": "Say whether a model wrote a text, to the letter.",
    "who": "Say which model most likely wrote a text.",
    "evaluate": "Say how well a model predicts a text.",
    "inspect": "Show what a bundle is.",
    "export": "Write a model as one web page.",
    "base": "Add, list and remove pretrained bases.",
    "corpus": "Get a corpus, or look at one.",
    "benchmark": "Measure what this machine does.",
    "serve": "Answer requests of other programs, on standard input or over HTTP.",
    "completion": "Write the completion script of a shell.",
}


# The module of a command lies beside this file unless it is listed here.
_FOLDERS = {"verify": "authorship.", "who": "authorship."}


class _LazyGroup(click.Group):
    """A group whose commands live in modules of this package named like them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"textgen.cli.{_FOLDERS.get(cmd_name, '')}{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 -- every module of _COMMANDS has one
        return examples.show(command, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        # click would import every command for its one line of help.
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="textgen")
def cli() -> None:
    """Train a small language model on your own texts, and write in their style."""


examples.show(cli, "textgen")


def flags_of(arguments: list[str]) -> set[str]:
    """Return the flags of the command that is called: an error message may only suggest these."""
    command: click.Command = cli
    for name in arguments:
        if not isinstance(command, click.Group):
            break
        command = command.get_command(click.Context(command), name) or command
    return {flag for parameter in command.params for flag in parameter.opts}


def main() -> None:
    """Run the command; an error is one line on standard error.

    Exit codes: 0 done, 1 error, 2 usage, 130 interrupted.
    """
    streams.prepare()
    code = _run()
    try:
        streams.flush()
    except streams.OutputError as error:
        code = code or _tell_output(error)
    if code == INTERRUPTED:
        # Libraries that are still loading would take seconds to shut down.
        os._exit(code)
    sys.exit(code)


def _run() -> int:
    try:
        code = cli.main(standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except streams.OutputError as error:
        return _tell_output(error)
    except TrainingInterruptedError as error:
        return _tell(f"interrupted: {error.with_flags(flags_of(sys.argv[1:]))}", INTERRUPTED)
    except TextgenError as error:
        return _tell(f"error: {error.with_flags(flags_of(sys.argv[1:]))}", 1)
    except (click.Abort, KeyboardInterrupt):
        return _tell("interrupted", INTERRUPTED)
    except OSError as error:
        where = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        return _tell(f"error: {where}{error.strerror or error}", 1)
    except MemoryError:
        return _tell("error: there is not enough memory", 1)


def _tell(line: str, code: int) -> int:
    streams.unmute()
    click.echo(line, err=True)
    return code


def _tell_output(error: streams.OutputError) -> int:
    """Report that standard output failed; a reader that closed it early (`| head`) is no error."""
    return 0 if error.reader_left else _tell(f"error: {error}", 1)
