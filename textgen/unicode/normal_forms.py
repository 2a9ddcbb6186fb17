"""Unicode's normal forms in linear time.

`unicodedata.normalize` sorts combining marks by insertion: its time grows with the square of a run's length,
and it holds the interpreter's lock meanwhile. A hundred kilobytes of marks on one letter stop the whole
process for a minute. Here a long run is sorted first by the same rule (Unicode 3.11, "Canonical Ordering
Algorithm"), and the result is the same.
"""

from __future__ import annotations

import unicodedata
from itertools import groupby
from typing import Literal

import regex

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]

# No script has more marks on one letter (UAX #15, "Stream-Safe Text Format").
_ORDINARY_RUN = 30

# Characters that are marks or may decompose to marks. Two half-width Katakana marks count as letters, and
# unassigned characters may be marks in a newer `unicodedata`.
_LONG_RUN = regex.compile(rf"[\p{{M}}\p{{Cn}}\uFF9E\uFF9F]{{{_ORDINARY_RUN + 1},}}")


def normalize(form: Form, text: str) -> str:
    """Return the result of `unicodedata.normalize`, in linear time."""
    if text.isascii():
        return text
    if len(text) <= _ORDINARY_RUN:
        return unicodedata.normalize(form, text)
    decomposed: Form = "NFKD" if "K" in form else "NFD"
    return unicodedata.normalize(form, _LONG_RUN.sub(lambda run: _in_order(decomposed, run[0]), text))


def _in_order(form: Form, run: str) -> str:
    """Return a run of marks, decomposed and in canonical order."""
    parts = {mark: unicodedata.normalize(form, mark) for mark in set(run)}
    marks = "".join(map(parts.__getitem__, run))
    classes = {mark: unicodedata.combining(mark) for mark in set(marks)}
    ordered: list[str] = []
    # A character of class 0 keeps its position, and no mark moves across it.
    for _, stretch in groupby(marks, lambda mark: classes[mark] == 0):
        ordered += sorted(stretch, key=classes.__getitem__)
    return "".join(ordered)
