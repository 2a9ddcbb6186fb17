"""`textgen chat`: a conversation with a model, which goes on from what is typed."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import click

from textgen.cli.common.bundles import bundle_at
from textgen.errors import SettingsError
from textgen.model import TextModel
from textgen.sampling import SamplingSettings

_LENGTH = 300
_PROMPT = "> "
_HELP = """\
what you type is gone on from; an empty line takes a line start of the corpus
/again            the same beginning once more, with another random seed
/more             go on from where the text ended
/temperature T    higher is more random; 0 always takes the most likely token
/length N         characters of a text, or words at word level
/help             these lines
/quit             the end, as Ctrl-D; Ctrl-C ends a text"""


@click.command("chat")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--temperature", type=float, default=SamplingSettings().temperature, show_default=True)
@click.option(
    "--length", type=int, default=_LENGTH, show_default=True, help="Characters of a text, or words."
)
@click.option("--random-seed", type=int, help="Of the first text; each further text takes the next one.")
def command(model: Path, *, temperature: float, length: int, random_seed: int | None) -> None:
    """Type the beginning of a text, and MODEL goes on from it. /help lists what else can be typed."""
    settings = SamplingSettings(length=length, temperature=temperature, random_seed=random_seed)
    loaded = TextModel.load(bundle_at(model))
    _prepare_editing()
    click.echo("type a beginning, or /help", err=True)
    talk = _Talk(loaded, settings.seeded())
    while (line := _read()) is not None and talk.answer(line):
        pass


@dataclass(slots=True)
class _Talk:
    """The state of a conversation.

    Attributes:
        model: what writes.
        settings: of the next text.
        seed: the beginning of the latest text, as it was typed.
        text: the latest text, with its beginning.
    """

    model: TextModel
    settings: SamplingSettings
    seed: str | None = None
    text: str = ""

    def answer(self, line: str) -> bool:
        """Answer a line, and return whether the conversation goes on."""
        word, _, rest = line.strip().partition(" ")
        match word:
            case "/quit" | "/exit" | "/q":
                return False
            case "/again":
                self._again()
            case "/more":
                self._more()
            case "/help":
                click.echo(_HELP, err=True)
            case "/temperature" | "/length":
                self._change(word.removeprefix("/"), rest.strip())
            case _ if word.startswith("/"):
                click.echo(f"there is no {word[:40]}; /help lists what there is", err=True)
            case _:
                self._write(line)
        return True

    def _again(self) -> None:
        if self.seed is None:
            click.echo("there is no text yet; type a beginning first", err=True)
        else:
            self._write(self.seed)

    def _more(self) -> None:
        if self.text:
            # The model reads at most so much of a prompt, and hardly uses more.
            self._write(self.text[-10_000:], shows_seed=False)
        else:
            self._again()

    def _change(self, name: str, value: str) -> None:
        if not value:
            click.echo(f"{name} is {getattr(self.settings, name):g}", err=True)
            return
        try:
            number = float(value) if name == "temperature" else int(value)
            self.settings = replace(self.settings, **{name: number})  # type: ignore[arg-type]
        except ValueError:
            click.echo(f"{name} {value[:40]!r} is no number", err=True)
        except SettingsError as error:
            click.echo(str(error), err=True)

    def _write(self, line: str, *, shows_seed: bool = True) -> None:
        """Write a text piece by piece; Ctrl-C ends it where it is."""
        try:
            request, seed = self.model.request(line, self.settings)
        except SettingsError as error:
            click.echo(str(error), err=True)
            return
        self.text = seed
        if shows_seed:
            self.seed = line
            click.echo(seed, nl=False)
        with contextlib.suppress(KeyboardInterrupt):
            for piece in self.model.stream_of(request):
                self.text += piece
                click.echo(piece, nl=False)
        click.echo()
        following = ((self.settings.random_seed or 0) + 1) % 2**63
        self.settings = replace(self.settings, random_seed=following)


def _prepare_editing() -> None:
    """Let lines be edited and called back, where Python has readline."""
    if sys.stdin.isatty():
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 -- `input` uses it once it is imported


def _read() -> str | None:
    """Return the next line, or None at the end of the input."""
    while True:
        try:
            if sys.stdin.isatty():
                return input(_PROMPT)
            line = sys.stdin.readline()
            return line.removesuffix("\n") if line else None
        except EOFError:
            click.echo()
            return None
        except KeyboardInterrupt:
            click.echo("\n(Ctrl-D or /quit ends)", err=True)
