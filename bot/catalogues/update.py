"""`python -m bot.catalogues.update`: bring every catalogue up to date with the code; tell what is missing.

New texts come in with an empty `msgstr`, texts that are no longer used go, translations stay. To begin
another language, make its folder with an empty `pastiche.po` and run this.

With `--take FILE.po` texts that lack a translation get it from another catalogue of that language.
"""

import asyncio
import sys
import tempfile
from io import BytesIO
from pathlib import Path

import click
from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po

import migrations
from bot.app import create_bot
from bot.catalogues.messages import template
from bot.i18n import LOCALES
from bot.settings import Settings

WIDTH = 110


@click.command()
@click.option(
    "--take", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Another catalogue."
)
def main(take: Path | None) -> None:
    """Write the catalogues anew; exit code 1 where a translation is missing."""
    wanted = asyncio.run(_template())
    missing = 0
    for path in sorted(LOCALES.glob("*/pastiche.po")):
        catalog = updated(path, wanted, take)
        if (new := written(catalog)) != path.read_bytes():
            path.write_bytes(new)
        lacking = [message for message in catalog if message.id and not _is_complete(message.string, catalog)]
        missing += len(lacking)
        click.echo(f"{path.parent.name}: {len(catalog)} texts, {len(lacking)} without a translation")
        for message in lacking:
            click.echo(f"  {message.id!r}")
    sys.exit(1 if missing else 0)


def updated(path: Path, wanted: Catalog, take: Path | None = None) -> Catalog:
    """The catalogue with exactly the texts of the template, and the translations it had.

    Args:
        path: of the catalogue, in a folder named like its language.
        wanted: the template.
        take: another catalogue of that language, for what has no translation yet.
    """
    language = path.parent.name
    old = _read(path, language)
    other = _read(take, language) if take is not None and _read(take).locale == old.locale else Catalog()
    catalog = Catalog(
        locale=language,
        project="Pastiche",
        version="1",
        last_translator="The Pastiche authors",
        language_team=language,
        msgid_bugs_address="the project's issues",
        charset="utf-8",
        header_comment=f"# Pastiche in the language {language}, renewed by: python -m bot.catalogues.update",
        creation_date=old.creation_date,
        revision_date=old.creation_date,
        fuzzy=False,
    )
    # A translator's own rule stays: the forms that there are were written for it.
    catalog.mime_headers = [("Plural-Forms", old.plural_forms)]
    for message in wanted:
        if message.id:
            known = (catalogue.get(message.id) for catalogue in (old, other))
            translation = next(
                (each.string for each in known if each and _is_complete(each.string, catalog)), None
            )
            catalog.add(message.id, translation, locations=sorted(set(message.locations)))
    return catalog


def written(catalog: Catalog) -> bytes:
    """The catalogue as a file."""
    buffer = BytesIO()
    write_po(buffer, catalog, width=WIDTH, sort_output=True, include_lineno=False)
    return buffer.getvalue()


def _read(path: Path, language: str | None = None) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _is_complete(string: str | tuple[str, ...] | list[str] | None, catalog: Catalog) -> bool:
    """Whether a translation is there, in every form that the language has."""
    if isinstance(string, str | None):
        return bool(string)
    return len(string) == catalog.num_plurals and all(string)


async def _template() -> Catalog:
    with tempfile.TemporaryDirectory() as folder:
        bot = create_bot(Settings(_env_file=None, data_dir=Path(folder)))  # type: ignore[call-arg]
        migrations.upgrade(bot.settings.database_url)
        async with bot:
            await bot.add_commands()
            return template(bot.tree)


if __name__ == "__main__":
    main()
