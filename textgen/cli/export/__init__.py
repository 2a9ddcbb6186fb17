"""`textgen export`: a model in a form that needs no program of ours."""

from __future__ import annotations

from pathlib import Path

import click

from textgen import __version__
from textgen import bundle as bundles
from textgen.cli.common.bundles import bundle_at, name_of
from textgen.errors import BundleError
from textgen.files.atomic import refuse_to_overwrite, write_bytes
from textgen.webpage import Shown, page_of

_LONGEST_TITLE = 200


@click.command("export")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--html",
    "page",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The page to write.",
)
@click.option("--title", help="Heading of the page.  [default: the name of the model's folder]")
@click.option("--licence", help="Licence of the texts that the model learned from, shown on the page.")
@click.option("--origin", help="Where these texts come from, shown on the page.")
@click.option("--force", is_flag=True, help="Overwrite FILE.")
def command(
    model: Path, page: Path, *, title: str | None, licence: str | None, origin: str | None, force: bool
) -> None:
    """Write MODEL as one web page that runs offline in any browser of today.

    It writes the same text as `textgen sample` for the same seed. It holds the whole model: whoever has the
    page has what the model learned.
    """
    refuse_to_overwrite(page, BundleError, force=force)
    found = bundle_at(model)
    bundle = bundles.read(found)
    heading = (title or name_of(found))[:_LONGEST_TITLE]
    data = page_of(bundle, Shown(heading, licence, origin, f"textgen {__version__}"))
    write_bytes(page, data)
    click.echo(f"{page} is written, {len(data) / 1e6:,.2f} MB; open it in a browser", err=True)
    if bundle.manifest.items:
        click.echo(
            "note: the page does not carry which lines stand in the corpus; none is drawn again", err=True
        )
