"""Finds the seed at the beginning of a text, also after one of its characters was changed.

Without the seed nothing can be drawn. A receipt has its length and 32 bits of it, so every text that is one
character away can be tried.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator

from textgen.receipts.code import Receipt, check_of

LONGEST_REPAIRED = 500
"""Characters of the longest seed that is repaired. The tries grow with its square."""


def seed_in(text: str, receipt: Receipt, symbols: Iterable[str] = ()) -> str | None:
    """Return the seed that a text began with; None if more than one character of it was changed.

    Args:
        text: the text, its seed included.
        receipt: with `Receipt.seed_characters`.
        symbols: characters that a repaired seed may hold besides ASCII and those of the text.
    """
    length = receipt.seed_characters
    if length is None:
        return ""
    begin = text[:length]
    if len(begin) == length and check_of(begin) == receipt.seed_check:
        return begin
    if length > LONGEST_REPAIRED:
        return None
    letters = sorted({*string.printable, *text[: 2 * LONGEST_REPAIRED], *symbols})
    tries = _neighbours(text[: length + 1], length, letters)
    return next((seed for seed in tries if check_of(seed) == receipt.seed_check), None)


def _neighbours(text: str, length: int, letters: list[str]) -> Iterator[str]:
    """Every text of a length that one replaced, added or dropped character leads to."""
    for at in range(length + 1):
        before, after = text[:at], text[at : length + 1]
        if len(after) > 0 and len(text) > length:
            yield before + after[1:]
        for letter in letters:
            if len(text) >= length > at:
                yield before + letter + text[at + 1 : length]
            if len(text) >= length - 1 and at < length:
                yield before + letter + text[at : length - 1]
