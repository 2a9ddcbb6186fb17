"""Hides a server's list of words in everything that people read.

Whole words are hidden, however they are written: with another case, width or accents, with invisible
characters, underscores or dots between the letters, spelled out letter by letter, or with digits and
look-alikes for letters. These stay: words that only contain a listed word, numbers, and letters with a mark
of their own (ñ, й) if the list has them without it.

`safe_text` calls `veil` for every text that it prepares, so that no text bypasses it. `current` has the list
of the server that the current task works for.
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
"""The list of the current server, one entry a line."""


@contextmanager
def all_shown() -> Iterator[None]:
    """Hide nothing within the block, for people who edit the list."""
    token = current.set("")
    try:
        yield
    finally:
        current.reset(token)


def veil(text: str) -> str:
    """Return the text, cleaned, with the current server's hidden words replaced."""
    return hide(text, current.get())


def hide(text: str, words: str) -> str:
    """Return the text, cleaned, with every hidden word replaced by `HIDDEN`.

    Args:
        text: text of a model or a person.
        words: the list, one word or phrase a line.
    """
    return hide_in([text], words)[0]


def hide_in(parts: Sequence[str], words: str) -> list[str]:
    """Return texts that are shown one after another, cleaned, with hidden words of the whole replaced.

    Args:
        parts: for example a seed and its continuation; a word across two parts is hidden in the first.
        words: the list, one word or phrase a line.
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
