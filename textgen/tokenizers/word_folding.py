"""Typed text at word level: replaces unknown words by known forms of them.

Whole words are replaced, because a mark can be part of a word (n’t) or a word of its own. Of the ways to
write a stretch between two blanks, the one with the fewest unknown words is chosen; if none is better, it
stays as typed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from textgen.tokenizers import treebank
from textgen.unicode import plain_forms
from textgen.unicode.plain_forms import APOSTROPHES, DASHES, DOTS, ELLIPSIS, QUOTES

Known = Callable[[str], bool]
Split = Callable[[str], list[str]]

_STYLES = (
    (QUOTES, (('"', '"'), ("“", "”"), ("„", "“"), ("«", "»"))),
    (APOSTROPHES, (("'", "'"), ("‘", "’"), ("’", "’"))),
    (DASHES, (("-", "-"), ("--", "--"), ("—", "—"), ("–", "–"))),
    (ELLIPSIS, ((DOTS, DOTS),)),
)
_DASHES, _DOTS = re.compile("--+"), re.compile(re.escape(DOTS))


def fold(text: str, blanks: str, split: Split, known: Known) -> tuple[str, dict[str, str]]:
    """Return a text whose stretches with unknown words are replaced by forms with fewer of them.

    Args:
        text: normalized text.
        blanks: pattern of what separates two stretches.
        split: returns the words of a stretch.
        known: returns whether a word is in the vocabulary.

    Returns:
        The text, and the replacement of each replaced stretch.
    """
    for symbol in set(text):
        if symbol.isspace() and re.fullmatch(blanks, symbol) is None and not known(symbol):
            text = text.replace(symbol, " ")
    changed: dict[str, str] = {}

    def written(match: re.Match[str]) -> str:
        stretch = match[0]
        if stretch not in changed:
            changed[stretch] = _best(stretch, split, known)
        return changed[stretch]

    text = re.sub(rf"(?:(?!{blanks})[\s\S])+", written, text)
    return text, {typed: form for typed, form in changed.items() if typed != form}


def without_unseen(text: str, blanks: str, split: Split, known: Known) -> str:
    """Return a text without its unknown words, and without the blank before a dropped stretch."""
    kept: list[str] = []
    for part in re.split(rf"({blanks})", text):
        if not part or re.fullmatch(blanks, part) or not _lacking(part, split, known):
            kept.append(part)
            continue
        left = _known_words(part, split, known)
        if left:
            kept.append(left)
        elif kept and kept[-1] == " ":
            kept.pop()
    return "".join(kept)


def _known_words(stretch: str, split: Split, known: Known) -> str:
    """Return the known words of a stretch, with spaces for dropped ones; "" if that makes unknown words."""
    parts = [""]
    for name in split(stretch):
        if known(name):
            parts[-1] += treebank.surface(name)
        elif parts[-1]:
            parts.append("")
    kept = [part for part in parts if part]
    return "" if any(_lacking(part, split, known) for part in kept) else " ".join(kept)


def _best(stretch: str, split: Split, known: Known) -> str:
    lacking = _lacking(stretch, split, known)
    if not lacking:
        return stretch

    @functools.cache
    def count(way: str) -> int:
        return _lacking(way, split, known) if way else lacking

    best = stretch
    for form in _forms(stretch, count):
        best = min((best, form, form.lower(), form.capitalize(), form.upper()), key=count)
    return best


def _forms(stretch: str, count: Callable[[str], int]) -> Iterator[str]:
    yield stretch
    seen = plain_forms.INVISIBLE.sub("", stretch)
    yield seen
    # For each kind of mark, the style with the fewest unknown words.
    chosen = seen
    for marks, styles in _STYLES:
        chosen = min((chosen, *(_styled(chosen, marks, *style) for style in styles)), key=count)
    yield chosen
    plain = plain_forms.plain(seen)
    yield plain
    yield _styled(_styled(_printed(plain), QUOTES, "“", "”"), APOSTROPHES, "‘", "’")


def _styled(text: str, marks: str, opening: str, closing: str) -> str:
    if marks is DASHES:
        text = _DASHES.sub("-", text)  # a typed -- is one dash
    result: list[str] = []
    for before, symbol in pairwise(["", *text]):
        mark = opening if plain_forms.opens(before) else closing
        result.append(mark if symbol in marks else symbol)
    return "".join(result)


def _printed(text: str) -> str:
    return _DASHES.sub("—", _DOTS.sub(ELLIPSIS, text))


def _lacking(stretch: str, split: Split, known: Known) -> int:
    return sum(not known(name) for name in split(stretch))
