"""Other forms of a character that a model does not know, for example ' instead of ’.

Phones write ’ “ ” – … and no-break spaces where a corpus has ' " - ... and spaces, or the other way round.
The forms of a character come in this order, and the first that the model knows is taken:

1. the plain form on a keyboard: ' " - ... or a space;
2. the other marks of the same use, the one that fits the place (opening or closing) first;
3. Unicode's compatibility form (NFKC): full-width letters, ligatures, superscripts; and æ, œ as two letters;
4. the other case;
5. nothing, for a character that is invisible.

An accent is part of its letter: no form of é is e. Everything here is linear in the text and the same on
every machine.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Iterator
from itertools import pairwise

import regex

from textgen.unicode.normal_forms import normalize

Known = Callable[[str], bool]

APOSTROPHES, QUOTES, DASHES = "'’‘‛ʼʻ′´`‚‹›", '"“”„‟″«»〝〞', "-–—‐‑‒―−⁃"
"""Marks with the same use; the first is the plain one."""

ELLIPSIS, DOTS = "…", "..."

_CLOSING_FIRST = {APOSTROPHES: "'’‘", QUOTES: '"”“„«»'}
_OPENING_FIRST = {APOSTROPHES: "'‘’", QUOTES: '"“„”«»'}
_CLASS = {mark: marks for marks in (APOSTROPHES, QUOTES, DASHES) for mark in marks}
_LETTERS = {"æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE"}
# Sequences that stand for one character on a keyboard, used if the model does not know the character.
_SEQUENCES = ((DOTS, ELLIPSIS), ("---", "—"), ("--", "—"), ("--", "–"))
_OPENS_AFTER = frozenset("([{<-–—/\"'“‘«„\n")

INVISIBLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB]")
"""Invisible characters: joiners, fillers, selectors, soft hyphens, direction marks."""


def fold(text: str, known: Known) -> tuple[str, dict[str, str]]:
    """Return a text with each unknown character replaced by a known form of it, if there is one.

    Args:
        text: in normal form (`textgen.corpus.reading.text.normal_form`).
        known: returns whether the model knows a character.

    Returns:
        The text, and what was written for what; a character without a known form stays as it is.
    """
    knows = {symbol: known(symbol) for symbol in set(text)}
    if all(knows.values()):
        return text, {}
    folded: dict[str, str] = {}
    for sequence, single in _SEQUENCES:
        if sequence in text and not knows[sequence[0]] and known(single):
            text = text.replace(sequence, single)
            folded[sequence] = single
            knows[single] = True

    @functools.cache
    def form_of(symbol: str, opening: bool) -> str | None:
        return known_form(symbol, opening, known)

    result: list[str] = []
    for before, symbol in pairwise(["", *text]):
        form = None if knows[symbol] else form_of(symbol, opens(before))
        if form is not None:
            folded[symbol] = form
        result.append(symbol if form is None else form)
    return "".join(result), folded


def forms(symbol: str, *, opening: bool) -> Iterator[str]:
    """Yield the other forms of a character, in the order of this module's description."""
    marks = _CLASS.get(symbol)
    if marks is not None:
        ordered = (_OPENING_FIRST if opening else _CLOSING_FIRST).get(marks, "") + marks
        yield from (mark for mark in dict.fromkeys(ordered) if mark != symbol)
    if symbol == ELLIPSIS:
        yield DOTS
    if symbol.isspace():
        yield " "
    compatible = _LETTERS.get(symbol) or unicodedata.normalize("NFKC", symbol)
    if compatible != symbol:
        yield compatible
    cases = (symbol.lower(), symbol.upper(), symbol.title())
    yield from (form for form in cases if form != symbol and len(form) == 1)
    if INVISIBLE.match(symbol):
        yield ""


def plain(text: str) -> str:
    """Return a text as a plain keyboard writes it, independent of a model."""
    shown = normalize("NFKC", INVISIBLE.sub("", text))
    return "".join(_LETTERS.get(symbol) or _CLASS.get(symbol, symbol)[0] for symbol in shown)


def opens(before: str) -> bool:
    """Return whether a quotation mark after this character is an opening one."""
    return not before or before.isspace() or before in _OPENS_AFTER


def known_form(symbol: str, opening: bool, known: Known) -> str | None:
    """Return the first form of a character that a model knows, or None.

    Args:
        symbol: the character.
        opening: whether it stands where a quotation mark is an opening one.
        known: returns whether the model knows a character.
    """
    found = _first_known(symbol, opening, known)
    if found is not None:
        return found
    # A form of a form: a full-width letter if the model knows only the other case, or a fraction's slash.
    for form in forms(symbol, opening=opening):
        parts = [part if known(part) else _first_known(part, opening, known) for part in form]
        if None not in parts:
            return "".join(part for part in parts if part is not None)
    return None


def _first_known(symbol: str, opening: bool, known: Known) -> str | None:
    return next((form for form in forms(symbol, opening=opening) if all(map(known, form))), None)
