"""`textgen verify`: draws a text again from its code, and says whether a model wrote it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from textgen.blending import blend
from textgen.cli.authorship.texts import text_of
from textgen.cli.common.bundles import bundle_at
from textgen.cli.common.corpora import indexed
from textgen.cli.common.streams import json_line
from textgen.evaluation.authorship.verification import Verdict, Verification, find_bundle, verify
from textgen.model import TextModel
from textgen.receipts.changes import Change
from textgen.receipts.copied_text import parted

_DIFFERENT = 1
_CONTEXT = 30


@click.command("verify")
@click.argument("text", metavar="TEXT")
@click.option(
    "--model", "bundles", multiple=True, type=click.Path(path_type=Path),
    help="A bundle that may have written it. Can be repeated: the code names the right ones.",
)  # fmt: skip
@click.option("--base", help="A pretrained base, as it is (`textgen base list`).")
@click.option(
    "--code",
    help="The code of `textgen sample --receipt`, or a file that holds it.  [default: the last line of TEXT]",
)
@click.option(
    "--corpus", "corpora", multiple=True, type=click.Path(path_type=Path),
    help="A text that the model was kept from repeating, if its code says so. Can be repeated, for a blend.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="A JSON object.")
def command(
    text: str,
    bundles: tuple[Path, ...],
    base: str | None,
    code: str | None,
    corpora: tuple[Path, ...],
    *,
    as_json: bool,
) -> int:
    """Say whether a model wrote TEXT: the text itself, a file, or - for standard input.

    The text is drawn again and compared. Exit code 0: the model wrote it, to the letter; 1: it did not, or
    the text was changed.
    """
    if bool(bundles) == (base is not None):
        raise click.UsageError("give either --model or --base")
    written, receipt = parted(text_of(text), None if code is None else text_of(code))
    if base is not None:
        model = TextModel.of_base(base)
    else:
        folders = [bundle_at(path) for path in bundles]
        model = TextModel.load(find_bundle(receipt.model, folders))
        if receipt.other:
            model = blend(model, TextModel.load(find_bundle(receipt.other, folders)), receipt.mix)
    watched = corpora if receipt.longest_copy is not None else ()
    with indexed(watched, receipt.longest_copy or 0, model.manifest.text_form) as indices:
        found = verify(written, receipt, model, indices)
    if as_json:
        differences = [asdict(change) for change in found.changes]
        told = {"verdict": found.verdict.value, "changes": differences, "seed_lost": found.seed_lost}
        click.echo(json_line(told))
    else:
        for line in _told(found):
            click.echo(line)
    return 0 if found.verdict is Verdict.YES else _DIFFERENT


def _told(found: Verification) -> list[str]:
    if found.verdict is Verdict.YES:
        aside = " (white space at its ends aside)" if found.only_ends else ""
        return [f"yes, to the letter{aside}"]
    if found.seed_lost:
        return ["no: the beginning, from which the model went on, is not the one that the code names"]
    if found.verdict is Verdict.NO:
        return ["no: with this code the model writes another text"]
    count = len(found.changes)
    lines = [f"yes, but changed in {count} place{'s' if count > 1 else ''}; - is what the model wrote:"]
    for change in found.changes:
        lines += _diff(found.written, change)
    return lines


def _diff(written: str, change: Change) -> list[str]:
    """A change with the text around it, as two lines below the place."""
    end = change.at + len(change.written)
    before, after = written[max(0, change.at - _CONTEXT) : change.at], written[end : end + _CONTEXT]
    return [
        f"@ character {change.at + 1:,}",
        *(f"{sign} {_line(before)}[{_line(part)}]{_line(after)}"
          for sign, part in (("-", change.written), ("+", change.found))),
    ]  # fmt: skip


def _line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
