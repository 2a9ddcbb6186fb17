"""A server's list of words that are not shown, and the one place that takes them out of what people read.

Whole words are hidden, in whatever way they are written: case, width, accents and other marks, invisible
characters, underscores and dots between the letters, letters spelled out one by one, digits and look-alikes
for letters. What stays: words that only hold a listed one, numbers, and letters with a mark of their own
(ñ, й) where the list has them without.

`safe_text` calls `veil` for all that it makes ready to be shown, so that nothing is shown around it; whose
words are hidden stands in `current`, set with the server that the work at hand is for.
"""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from bot.text.cleaning import clean
from bot.text.word_search import WordSearch, with_accents, without_accents
from textgen.unicode.graphemes import graphemes

HIDDEN = "▒▒▒"

current: ContextVar[str] = ContextVar("hidden_words", default="")
"""The list of the server that is answered or written to, one entry a line."""


@contextmanager
def all_shown() -> Iterator[None]:
    """Hide nothing meanwhile: for who looks after the list itself."""
    token = current.set("")
    try:
        yield
    finally:
        current.reset(token)


def veil(text: str) -> str:
    """The text, cleaned, without the hidden words of the server at hand."""
    return hide(text, current.get())


def hide(text: str, words: str) -> str:
    """The text, cleaned, with every hidden word as `HIDDEN`.

    Args:
        text: as a model or a person wrote it.
        words: the list, one word (or several in a row) a line.
    """
    return hide_in([text], words)[0]


def hide_in(parts: Sequence[str], words: str) -> list[str]:
    """Texts that are shown one behind the other, cleaned, without the hidden words of the whole.

    Args:
        parts: a seed and what was written behind it, say; a word across two of them is hidden in the first.
        words: the list, one word (or several in a row) a line.
    """
    cleaned = [clean(part) for part in parts]
    searches = _searches(words)
    if not searches:
        return cleaned
    whole = "".join(cleaned)
    pieces = graphemes(whole)
    covered = [False] * len(pieces)
    begins = set()
    for search in searches:
        for first, last in search.places(pieces):
            if not any(covered[first : last + 1]):
                begins.add(first)
            covered[first : last + 1] = [True] * (last + 1 - first)
    if not begins:
        return cleaned
    return _written(pieces, covered, list(map(len, cleaned)))


def _written(pieces: list[str], covered: list[bool], lengths: list[int]) -> list[str]:
    shown: list[list[str]] = [[] for _ in lengths]
    part, end, position = 0, lengths[0], 0
    for number, piece in enumerate(pieces):
        while position >= end and part < len(lengths) - 1:
            part += 1
            end += lengths[part]
        if not covered[number]:
            shown[part].append(piece)
        elif number == 0 or not covered[number - 1]:
            shown[part].append(HIDDEN)
        position += len(piece)
    return ["".join(piece) for piece in shown]


@functools.lru_cache(maxsize=256)
def _searches(words: str) -> list[WordSearch]:
    accented: set[str] = set()
    plain: set[str] = set()
    for line in words.split("\n"):
        entry = " ".join(with_accents(clean(line)).split())
        if entry:
            (plain if without_accents(entry) == entry else accented).add(entry)
    ways = ((accented, with_accents), (plain, without_accents))
    return [WordSearch(sorted(entries), fold) for entries, fold in ways if entries]
