"""Words in the reader's language: gettext catalogues, chosen by the locale of the interaction at hand.

Every text for people is written ``_("…")`` in English, and looked up in ``bot/locales/LOCALE/pastiche.po``
when it is shown. A text without a translation is shown in English. Names go in afterwards::

    _("{name} is in the queue.").format(name=name)
"""

import functools
from contextvars import ContextVar
from pathlib import Path

from babel.messages.pofile import read_po

LOCALES = Path(__file__).parent / "locales"

locale: ContextVar[str] = ContextVar("locale", default="en")
"""Discord's name of the reader's language, such as "de" or "en-GB"; set for each interaction."""


@functools.cache
def languages() -> frozenset[str]:
    """Languages that have a catalogue; English needs none."""
    return frozenset(path.parent.name for path in LOCALES.glob("*/pastiche.po"))


def language() -> str:
    """Return the language that the reader is answered in."""
    reader = _language(locale.get())
    return reader if reader in languages() else "en"


def marked(text: str) -> str:
    """Mark a text of a table for the catalogues; it is looked up when it is shown."""
    return text


def _(text: str) -> str:
    """Return the text in the reader's language."""
    return translated(text, locale.get())


def ngettext(singular: str, plural: str, number: int) -> str:
    """Return the form for the number in the reader's language."""
    forms = _catalogue(_language(locale.get())).get(singular)
    if not isinstance(forms, tuple):
        return singular if number == 1 else plural
    # Every language with a catalogue here has two forms, as English has.
    return forms[0 if number == 1 else 1] or (singular if number == 1 else plural)


def translated(text: str, reader: str) -> str:
    """Return the text in the language of a locale; the text itself where it has no translation."""
    found = _catalogue(_language(reader)).get(text)
    return found if isinstance(found, str) and found else text


def _language(reader: str) -> str:
    return reader.partition("-")[0].partition("_")[0].lower()


@functools.cache
def _catalogue(language: str) -> dict[str, str | tuple[str, ...]]:
    """Return texts by their English; empty where there is no catalogue."""
    if language not in languages():
        return {}
    with (LOCALES / language / "pastiche.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    texts: dict[str, str | tuple[str, ...]] = {}
    for message in catalogue:
        if message.id:
            key = message.id if isinstance(message.id, str) else message.id[0]
            told = message.string or ""
            texts[key] = told if isinstance(told, str) else tuple(told)
    return texts
