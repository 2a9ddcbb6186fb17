"""Where a text may be cut: between pieces that are read one by one, and between training and validation.

This module must not import NumPy or Keras.
"""

from __future__ import annotations

import unicodedata

from textgen.unicode.graphemes import grapheme_ends, graphemes

_SEARCHED = 4_096
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))

# Neither side of a cut may be what the other side's lower case hangs on: Σ becomes ς at the end of a
# word, which looks past marks, modifiers and punctuation (Unicode 3.13, "Final_Sigma").
_UNSTEADY = "Σ\u115f\u1160\u3164\uffa0"  # letters by category, but fillers are seen only beside others
_STEADY = {"Lu", "Ll", "Lt", "Lo", "Nd", "Nl", "No", "So", "Sc", "Sm", "Zs"}


def last_safe_cut(text: str) -> int:
    r"""Return the last place where text can be cut without either part being read in another way; 0 for none.

    After a ``\n`` where one is in the second half. Otherwise before a space, then between two graphemes
    of its last `_SEARCHED` characters. The very end is no such place unless it is after a ``\n``, for
    what follows is not known.
    """
    line = text.rfind("\n") + 1
    if line > len(text) // 2:
        return line
    begin = max(0, len(text) - _SEARCHED)
    at = text.rfind(" ", begin, len(text) - 1)
    # A space that a mark stands on is one grapheme with it.
    while at > 0 and not (_steady(text[at + 1]) and _steady(text[at - 1])):
        at = text.rfind(" ", begin, at)
    if at > 0:
        return at
    if begin and text[begin] in _FLAG_LETTERS:
        # Flags are pairs, counted from the first of a run.
        begin += (begin - len(text[:begin].rstrip(_FLAG_LETTERS))) % 2
    # The first end may be that of a grapheme that began before the part that was searched.
    for at in reversed(list(grapheme_ends(text, begin))[1:]):
        if at < len(text) and _steady(text[at]) and _steady(text[at - 1]):
            return at
    return line


def _steady(symbol: str) -> bool:
    return symbol not in _UNSTEADY and unicodedata.category(symbol) in _STEADY


def ends_grapheme(text: str, at: int) -> bool:
    """Return whether a place after white space is one between two graphemes: a mark may stand on a space."""
    return at >= len(text) or len(graphemes(text[at - 1 : at + 1])) > 1


def grapheme_cut(text: str, at: int) -> int:
    """Return the first place at or after ``at`` that is not inside a grapheme."""
    if at <= 0 or at >= len(text):
        return min(max(at, 0), len(text))
    begin = max(text.rfind("\n", 0, at), text.rfind(" ", 0, at), 0)
    return next((end for end in grapheme_ends(text, begin) if end >= at), len(text))


def cut_near(text: str, at: int, reach: int) -> int:
    """Return a place from ``at`` on, at most ``reach`` further, that ends a paragraph, a line or a word.

    Where there is none it is the next place between two graphemes. Something is left after it, if
    ``at`` itself leaves a grapheme.
    """
    for separator in ("\n\n", "\n", " "):
        found = text.find(separator, at, at + reach)
        if 0 <= found < len(text) - len(separator):
            return found + len(separator)
    return grapheme_cut(text, at)


def reach_of(whole: int, held_out: int) -> int:
    """Return how far a cut may move to end a paragraph, in characters: most of the rest must be left.

    Args:
        whole: length of the text.
        held_out: wanted length of the part after the cut.
    """
    return max(1, min(whole // 50, held_out // 3))


def split_for_validation(text: str, share: float) -> tuple[str, str]:
    """Cut the last part of a text off for validation, at a line break where one is near.

    A contiguous end is held out, not scattered lines: neighbouring lines share so much that a
    model would be tested on what it has seen.

    Args:
        text: the whole clean text.
        share: the part to hold out, between 0 (nothing) and 0.5.

    Returns:
        The training text and the validation text; together they are the whole text.
    """
    if share <= 0:
        return text, ""
    held_out = max(1, round(len(text) * share))
    cut = cut_near(text, len(text) - held_out, reach_of(len(text), held_out))
    return text[:cut], text[cut:]
