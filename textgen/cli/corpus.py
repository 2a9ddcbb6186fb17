"""`textgen corpus`: get, examine or prepare a corpus."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import click

from textgen import corpus as corpora
from textgen.cli.common.reading import encoding_options, quiet_option, reading_options
from textgen.cli.common.streams import json_line
from textgen.corpus import shakespeare as plays
from textgen.corpus.one_item_a_line import ItemLines
from textgen.corpus.reading.encoding import check_policy
from textgen.corpus.reading.reader import BLOCK_BYTES, CorpusReader
from textgen.corpus.reading.sources import ReadingOptions, find
from textgen.corpus.report import VOCABULARY
from textgen.corpus.splitting import DEFAULT_SHARE
from textgen.corpus.splitting import split as split_folder
from textgen.corpus.unwrapping import unwrap as unwrap_text
from textgen.errors import CorpusError
from textgen.files import atomic
from textgen.settings.advice import Advice, advise


@click.group("corpus")
def command() -> None:
    """Get a corpus, or look at one."""


@command.command("shakespeare")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--genre", default="tragedies", show_default=True, help=f"{', '.join(plays.GENRES)} or all.")
@click.option(
    "--force", is_flag=True, help="Overwrite input.txt and validate.txt even if they hold another text."
)
def shakespeare(folder: Path, *, genre: str, force: bool) -> None:
    """Write Shakespeare's plays into FOLDER as input.txt and validate.txt."""
    training, validation = plays.write(folder, genre, force=force)
    click.echo(f"{folder}: input.txt has {training:,} characters, validate.txt {validation:,}")


@command.command("stats")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SOURCE...")
@reading_options
@click.option("--json", "as_json", is_flag=True, help="A JSON object.")
@quiet_option
def stats(
    sources: tuple[Path, ...],
    *,
    column: str | None,
    encoding: str | None,
    encoding_errors: str,
    as_json: bool,
) -> None:
    """Show what SOURCE (files or a folder) holds, and what to consider before you train on it."""
    # NumPy counts ten times as fast as Python. Other corpus commands must not wait for it.
    from textgen.tokenizers.character import count_symbols

    found = find(list(sources))
    options = ReadingOptions(column, encoding, check_policy(encoding_errors))
    measurer, lines = corpora.Measurer(count_symbols), ItemLines()
    total = CorpusReader(found.training, options).bytes
    bar = click.progressbar(length=total, label="reading", file=sys.stderr, hidden=not sys.stderr.isatty())
    with bar:
        reader = CorpusReader(found.training, options, lambda: bar.update(BLOCK_BYTES))
        for piece in reader.pieces():
            measurer.add(piece.text)
            lines.add(piece.text)
    items = lines.found()
    figures = measurer.stats()
    if reader.chat_log and not figures.suspected_chat_log:
        figures = dataclasses.replace(figures, suspected_chat_log=reader.chat_log)
    advice = advise(figures)
    if as_json:
        told = {
            **dataclasses.asdict(figures),
            "bytes": reader.bytes,
            "files": len(found.training),
            "encodings": reader.encodings,
            "items": items,
            "notes": [*found.notes, *reader.notes],
            "suggestion": dataclasses.asdict(advice),
        }
        click.echo(json_line(told))
        return
    _show(figures, advice, reader, items=items)
    for note in (*found.notes, *reader.notes):
        click.echo(f"note        {note}")
    if figures.characters < corpora.MINIMUM_CHARACTERS:
        click.echo(f"too short   {corpora.MINIMUM_CHARACTERS:,} characters are needed to train")


def _show(figures: corpora.CorpusStats, advice: Advice, reader: CorpusReader, *, items: bool) -> None:
    common = " ".join(f"{symbol!r} {count:,}" for symbol, count in figures.most_common)
    rows = {
        "size": f"{reader.bytes:,} bytes in {', '.join(reader.encodings)}",
        "characters": f"{figures.characters:,}",
        "lines": f"{figures.lines:,}, {figures.duplicated_lines:.1%} of them repeated"
        + (", one item each" if items else ""),
        "symbols": f"{figures.symbols:,}: {common}",
        "coverage": f"{figures.coverage:.2%} by a vocabulary of {VOCABULARY} symbols",
        "chat log": f"looks like {figures.suspected_chat_log}" if figures.suspected_chat_log else "no",
        "secrets": ", ".join(figures.suspected_secrets) or "none found",
        "suggestion": f"--level {advice.level} --preset {advice.preset}",
        "time": f"about {_duration(advice.seconds)}: {advice.basis}",
    }
    for name, value in rows.items():
        click.echo(f"{name:<11} {value}")


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.0f} h"


@command.command("split")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--share", type=float, default=DEFAULT_SHARE, show_default=True, help="Share of the text to hold out."
)
@click.option("--scattered", is_flag=True, help="Hold out random paragraphs instead of the end.")
@click.option("--random-seed", type=int, default=1, show_default=True, help="Decides which paragraphs.")
@click.option("--force", is_flag=True, help="Put the text of an existing validate.txt back and split again.")
@click.option("--encoding", help="Encoding of the files.  [default: UTF-8, or as their first bytes say]")
def split(
    folder: Path, *, share: float, scattered: bool, random_seed: int, force: bool, encoding: str | None
) -> None:
    """Move paragraphs from FOLDER/input.txt to FOLDER/validate.txt.

    The end of the text is held out, because it is most like new text. Every character stays in one of
    the two files.
    """
    options = ReadingOptions(encoding=encoding)
    done = split_folder(
        folder,
        share=share,
        scattered=scattered,
        random_seed=random_seed,
        force=force,
        encoding=options.encoding,
    )
    click.echo(
        f"{folder}: input.txt has {done.training:,} characters, validate.txt {done.validation:,} "
        f"(whole {done.unit})"
    )


@command.command("unwrap")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output", type=click.Path(path_type=Path), help="A file to write.  [default: standard output]"
)
@encoding_options
@click.option("--force", is_flag=True, help="Overwrite the file of --output; it may be FILE itself.")
def unwrap(
    file: Path, *, output: Path | None, encoding: str | None, encoding_errors: str, force: bool
) -> None:
    """Remove the hard line breaks inside the paragraphs of FILE, as in texts of Project Gutenberg.

    Verse, lists, headings, tables and indented text keep their line breaks.
    """
    if output is not None:
        atomic.refuse_to_overwrite(output, CorpusError, force=force)
    options = ReadingOptions(encoding=encoding, encoding_errors=check_policy(encoding_errors))
    text = unwrap_text(corpora.read(file, encoding=options.encoding, encoding_errors=options.encoding_errors))
    if output is None:
        # Python may use another encoding for standard output.
        sys.stdout.buffer.write(text.encode())
        return
    try:
        atomic.write_bytes(output, text.encode())
    except OSError as error:
        raise CorpusError(f"{output} cannot be written: {error.strerror}") from None
