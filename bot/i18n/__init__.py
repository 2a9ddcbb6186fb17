"""Texts in the reader's language: gettext catalogues, chosen by the locale of the current interaction.

Every text for people is written ``_("…")`` in English, and looked up in
``bot/i18n/locales/LOCALE/pastiche.po`` when it is shown. A text without a translation is shown in English.
Format it after the lookup::

    _("{name} is in the queue.").format(name=name)

The catalogues are compiled when they are first used, so that a checkout and a wheel contain only the sources.
The header of a catalogue (``Plural-Forms``) says which plural form a number takes.
"""

import functools
import gettext
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.core import UnknownLocaleError
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = Path(__file__).parent / "locales"

ENGLISH = "en"
"""The language of the texts in the code."""

locale: ContextVar[str] = ContextVar("locale", default=ENGLISH)
"""Discord's name of the reader's language, such as "de" or "en-GB"; set for each interaction."""


@functools.cache
def languages() -> frozenset[str]:
    """Return the languages that have a catalogue, such as "de" or "pt_BR"; English needs none."""
    return frozenset(path.parent.name for path in LOCALES.glob("*/pastiche.po"))


@functools.cache
def names() -> dict[str, str]:
    """Return how each language calls itself, such as "de": "Deutsch", sorted by these names."""
    called = {code: _own_name(code) for code in {*languages(), ENGLISH}}
    return dict(sorted(called.items(), key=lambda item: item[1].casefold()))


def _own_name(code: str) -> str:
    try:
        return Locale.parse(code).get_display_name(code) or code
    except (ValueError, UnknownLocaleError):  # a folder that is no language's, which a test finds
        return code


@contextmanager
def speaking(wanted: str) -> Iterator[None]:
    """Use the language of a locale within the block."""
    token = locale.set(wanted)
    try:
        yield
    finally:
        locale.reset(token)


def language() -> str:
    """Return the language of answers to the current reader."""
    return _language(locale.get())


def marked(text: str) -> str:
    """Mark a text for the catalogues; it is translated when it is shown."""
    return text


def _(text: str) -> str:
    """Return the text in the reader's language."""
    return translated(text, locale.get())


def ngettext(singular: str, plural: str, number: int) -> str:
    """Return the plural form for a number in the reader's language, of as many as its catalogue has."""
    return _catalogue(language()).ngettext(singular, plural, number)


def translated(text: str, reader: str) -> str:
    """Return a text in the language of a locale; the text itself if it has no translation."""
    # The translation of nothing is the catalogue's header.
    return _catalogue(_language(reader)).gettext(text) if text else text


# At each start, every text of every command is asked for in each of Discord's thirty locales.
@functools.lru_cache(maxsize=256)
def _language(reader: str) -> str:
    """Return the language for a locale: its regional form, else the language, else English."""
    name = reader.replace("-", "_")
    known = {each.lower(): each for each in languages()}
    return known.get(name.lower()) or known.get(name.partition("_")[0].lower()) or ENGLISH


def texts_of(language: str) -> list[tuple[str, str]]:
    """Return the texts without a plural that a language has a translation of, and these translations."""
    pairs = [(message.id, message.string) for message in _read(language)] if language in languages() else []
    return [(str(text), str(told)) for text, told in pairs if isinstance(text, str) and text and told]


@functools.cache
def _catalogue(language: str) -> gettext.NullTranslations:
    """Return the translations of a language; none if it has no catalogue."""
    if language not in languages():
        return gettext.NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, _read(language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _read(language: str) -> Catalog:
    with (LOCALES / language / "pastiche.po").open("rb") as file:
        return read_po(file, locale=language)
