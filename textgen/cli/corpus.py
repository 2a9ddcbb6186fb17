"""`textgen corpus`: get a corpus, or look at one before training."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from textgen import corpus as corpora
from textgen.corpus import shakespeare as plays


@click.group("corpus")
def command() -> None:
    """Get a corpus, or look at one."""


@command.command("shakespeare")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--genre", default="tragedies", show_default=True, help=f"{', '.join(plays.GENRES)} or all.")
def shakespeare(folder: Path, genre: str) -> None:
    """Write Shakespeare's plays into FOLDER as input.txt and validate.txt."""
    training, validation = plays.write(folder, genre)
    click.echo(f"{folder}: input.txt has {training:,} characters, validate.txt {validation:,}")


@command.command("stats")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="A JSON object.")
def stats(file: Path, *, as_json: bool) -> None:
    """Say what FILE holds, and what should give pause before training on it."""
    figures = corpora.measure(corpora.read(file))
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(figures), ensure_ascii=False))
        return
    common = " ".join(f"{symbol!r} {count:,}" for symbol, count in figures.most_common)
    rows = {
        "characters": f"{figures.characters:,}",
        "lines": f"{figures.lines:,}, {figures.duplicated_lines:.1%} of them repeated",
        "symbols": f"{figures.symbols:,}: {common}",
        "chat log": f"looks like {figures.suspected_chat_log}" if figures.suspected_chat_log else "no",
        "secrets": ", ".join(figures.suspected_secrets) or "none found",
    }
    for name, value in rows.items():
        click.echo(f"{name:<11} {value}")
    if figures.characters < corpora.MINIMUM_CHARACTERS:
        click.echo(f"too short  {corpora.MINIMUM_CHARACTERS:,} characters are needed to train")
