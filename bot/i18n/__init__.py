"""Words in the reader's language: gettext catalogues, chosen by the locale of the interaction at hand.

Every text for people is written ``_("…")`` in English, and looked up in
``bot/i18n/locales/LOCALE/pastiche.po`` when it is shown. A text without a translation is shown in English.
Names go in afterwards::

    _("{name} is in the queue.").format(name=name)

The catalogues are compiled when they are first used, so that a checkout and a wheel need nothing but the
sources. Which plural form a number takes is what the catalogue's own header says (``Plural-Forms``).
"""

import functools
import gettext
from contextvars import ContextVar
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = Path(__file__).parent / "locales"

locale: ContextVar[str] = ContextVar("locale", default="en")
"""Discord's name of the reader's language, such as "de" or "en-GB"; set for each interaction."""


@functools.cache
def languages() -> frozenset[str]:
    """Languages that have a catalogue, such as "de" or "pt_BR"; English needs none."""
    return frozenset(path.parent.name for path in LOCALES.glob("*/pastiche.po"))


def language() -> str:
    """Return the language that the reader is answered in."""
    return _language(locale.get())


def marked(text: str) -> str:
    """Mark a text of a table for the catalogues; it is looked up when it is shown."""
    return text


def _(text: str) -> str:
    """Return the text in the reader's language."""
    return translated(text, locale.get())


def ngettext(singular: str, plural: str, number: int) -> str:
    """Return the form for the number in the reader's language; it has as many forms as its catalogue says."""
    return _catalogue(language()).ngettext(singular, plural, number)


def translated(text: str, reader: str) -> str:
    """Return the text in the language of a locale; the text itself where it has no translation."""
    # The translation of nothing is the catalogue's header.
    return _catalogue(_language(reader)).gettext(text) if text else text


def _language(reader: str) -> str:
    """The catalogue for a locale: of its language as spoken there, else of its language, else English."""
    name = reader.replace("-", "_")
    known = {each.lower(): each for each in languages()}
    return known.get(name.lower()) or known.get(name.partition("_")[0].lower()) or "en"


@functools.cache
def _catalogue(language: str) -> gettext.NullTranslations:
    """Return a language's texts by their English; empty where there is no catalogue."""
    if language not in languages():
        return gettext.NullTranslations()
    with (LOCALES / language / "pastiche.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
