"""`textgen who`: ranks models by how likely they wrote a text."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from textgen.cli.authorship.texts import text_of
from textgen.cli.common.bundles import bundle_at
from textgen.cli.common.streams import json_line
from textgen.evaluation.authorship.who import who
from textgen.model import TextModel


@click.command("who")
@click.argument("text", metavar="TEXT")
@click.option(
    "--model", "bundles", multiple=True, required=True, type=click.Path(path_type=Path),
    help="A bundle. Can be repeated.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="A JSON object.")
def command(text: str, bundles: tuple[Path, ...], *, as_json: bool) -> None:
    """Say which model most likely wrote TEXT: the text itself, a file, or - for standard input.

    What counts is how much worse a model predicts the text than held-out text of its own author. If even
    the first one predicts it much worse, the answer is "none of them".
    """
    asked = text_of(text)
    found = who(asked, [TextModel.load(bundle_at(path)) for path in bundles])
    none = found[0].unlike
    if as_json:
        models = [asdict(each) | {"model": str(bundles[each.model])} for each in found]
        click.echo(json_line({"none": none, "models": models}))
        return
    click.echo("none of them" if none else f"most likely {bundles[found[0].model]}")
    for place, each in enumerate(found, start=1):
        click.echo(
            f"{place}. {bundles[each.model]}: {each.nats_per_word:.2f} nats a word, "
            f"{each.excess_per_word:+.2f} beside its own held-out text"
        )
