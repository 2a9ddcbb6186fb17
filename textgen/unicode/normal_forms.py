"""Unicode's normal forms in linear time, whatever the text.

`unicodedata.normalize` puts combining marks in order by insertion, which takes time that grows with
the square of a run's length, and it holds the interpreter's lock meanwhile: a hundred kilobytes of marks
on one letter stop a whole process for a minute. Here a long run is put in order first, by the same
rule (Unicode 3.11, "Canonical Ordering Algorithm"), and the result is the same.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

import regex

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]

# No writing puts more marks on one letter (UAX #15, "Stream-Safe Text Format").
_ORDINARY_RUN = 30

# What may be, or decompose to, a mark and nothing else: two half-width Katakana marks are letters. A
# character that this table does not know yet may be known to `unicodedata`.
_LONG_RUN = regex.compile(rf"[\p{{M}}\p{{Cn}}\uFF9E\uFF9F]{{{_ORDINARY_RUN + 1},}}")


def normalize(form: Form, text: str) -> str:
    """Return what `unicodedata.normalize` does, in time that grows with the length of the text."""
    if text.isascii():
        return text
    if len(text) <= _ORDINARY_RUN:
        return unicodedata.normalize(form, text)
    decomposed: Form = "NFKD" if "K" in form else "NFD"
    return unicodedata.normalize(form, _LONG_RUN.sub(lambda run: _in_order(decomposed, run[0]), text))


def _in_order(form: Form, run: str) -> str:
    """Return a run of marks decomposed, and in canonical order."""
    parts = {mark: unicodedata.normalize(form, mark) for mark in set(run)}
    marks = "".join(map(parts.__getitem__, run))
    classes = {mark: unicodedata.combining(mark) for mark in set(marks)}
    ordered: list[str] = []
    begin = 0
    # What has class 0 stays where it is, and nothing passes it.
    for at, mark in enumerate(marks):
        if not classes[mark]:
            ordered += sorted(marks[begin:at], key=classes.__getitem__)
            ordered.append(mark)
            begin = at + 1
    ordered += sorted(marks[begin:], key=classes.__getitem__)
    return "".join(ordered)
