"""The forms that stand for characters that a model does not know (`textgen.unicode`), found for a page."""

from __future__ import annotations

import functools

from textgen.tokenizers import Tokenizer
from textgen.unicode import plain_forms

_LAST = 0x20000
"""Characters from here on are ideographs, and beyond them private ones: none has a form in another script."""

_HALVES = range(0xD800, 0xE000)

SPACES = "".join(symbol for symbol in map(chr, range(0x3001)) if symbol.isspace())
"""After one of these, a quotation mark is an opening one."""


def forms_of(tokenizer: Tokenizer) -> dict[str, str | tuple[str, str]]:
    """Return what is read for each unknown character: its form, or that inside and that at a beginning."""
    found: dict[str, str | tuple[str, str]] = {}
    for symbol in _with_forms():
        if tokenizer.writes(symbol):
            continue
        inside = plain_forms.known_form(symbol, opening=False, known=tokenizer.writes)
        beginning = plain_forms.known_form(symbol, opening=True, known=tokenizer.writes)
        if inside is not None and beginning is not None:
            found[symbol] = inside if inside == beginning else (inside, beginning)
    return found


@functools.cache
def _with_forms() -> tuple[str, ...]:
    """Return the characters that have another form at all."""
    symbols = (chr(point) for point in range(_LAST) if point not in _HALVES)
    return tuple(symbol for symbol in symbols if any(True for _ in plain_forms.forms(symbol, opening=True)))
