"""Lines that were stored in English, in the reader's language.

What many may read later, such as why a training failed, is stored as the finished English line: the language
of its readers is not known then. The text that the line was made from is found in the catalogue, and its
translation gets the same values.
"""

import functools
import re
import string
from decimal import Decimal

from babel.numbers import format_decimal

from bot.i18n import ENGLISH, language, texts_of, translated

# Letters of its own that a text with values must have, so that no line is taken for another.
LEAST_LETTERS = 15

# Numbers that languages write differently; ids have neither commas nor points.
_NUMBER = re.compile(r"(?<![\w.,])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+)(?![\w.,]*\w)")


def retold(line: str) -> str:
    """Return a stored line in the reader's language; the line itself if no text of the catalogue made it."""
    return _retold(line, language())


@functools.lru_cache(maxsize=1024)
def _retold(line: str, reader: str) -> str:
    whole = translated(line, reader)
    if whole != line or reader == ENGLISH:
        return whole
    for made, translation in _formats(reader):
        found = made.fullmatch(line)
        if found is not None:
            values = {name: _value(value, reader) for name, value in found.groupdict().items()}
            parts = string.Formatter().parse(translation)
            return "".join(text + (values[name] if name else "") for text, name, _, _ in parts)
    return line


@functools.cache
def _formats(reader: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return a pattern for the lines of each text with values, and the text's translation."""
    found = []
    for text, translation in texts_of(reader):
        parts = list(string.Formatter().parse(text))
        letters = sum(letter.isalpha() for literal, *_ in parts for letter in literal)
        if letters >= LEAST_LETTERS and any(name for _, name, _, _ in parts):
            found.append((letters, _pattern(parts), translation))
    # The more letters a text has of its own, the surer it is.
    found.sort(key=lambda each: -each[0])
    return tuple((pattern, translation) for _, pattern, translation in found)


def _pattern(parts: list[tuple[str, str | None, str | None, str | None]]) -> re.Pattern[str]:
    pattern, named = "", set()
    for literal, name, _, _ in parts:
        pattern += re.escape(literal)
        if name:
            pattern += f"(?P={name})" if name in named else f"(?P<{name}>.+?)"
            named.add(name)
    return re.compile(pattern, re.DOTALL)


def _value(value: str, reader: str) -> str:
    """Translate names of permissions and the like, also in lists and after a number of them, and numbers."""
    told = []
    for part in value.split(", "):
        number, times, kind = part.rpartition(" × ")
        told.append(number + times + translated(kind, reader))
    return _NUMBER.sub(lambda number: _decimal(number[0], reader), ", ".join(told))


def _decimal(number: str, reader: str) -> str:
    digits = len(number.partition(".")[2])
    pattern = "#,##0." + "0" * digits if digits else "#,##0"
    return str(format_decimal(Decimal(number.replace(",", "")), format=pattern, locale=reader))
