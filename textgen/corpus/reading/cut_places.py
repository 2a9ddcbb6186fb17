"""Places where a text can be cut: between pieces for reading, and between training and validation.

This module must not import NumPy or Keras.
"""

from __future__ import annotations

import unicodedata

from textgen.unicode.graphemes import grapheme_ends, graphemes

_SEARCHED = 4_096
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))

# A cut must not change the lower case of either side: Σ becomes ς at the end of a word, and that rule looks
# across marks, modifiers and punctuation (Unicode 3.13, "Final_Sigma").
_UNSTEADY = "Σ\u115f\u1160\u3164\uffa0"  # category letter, but invisible if alone
_STEADY = {"Lu", "Ll", "Lt", "Lo", "Nd", "Nl", "No", "So", "Sc", "Sm", "Zs"}


def last_safe_cut(text: str) -> int:
    r"""Return the last index where a cut changes the meaning of neither part; 0 if there is none.

    If the second half has a ``\n``, the cut is after it. Otherwise it is before a space, or between two
    graphemes, in the last `_SEARCHED` characters. The end of the text counts only after a ``\n``, because
    the next characters are not known.
    """
    line = text.rfind("\n") + 1
    if line > len(text) // 2:
        return line
    begin = max(0, len(text) - _SEARCHED)
    at = text.rfind(" ", begin, len(text) - 1)
    # A space and a combining mark after it are one grapheme.
    while at > 0 and not (_steady(text[at + 1]) and _steady(text[at - 1])):
        at = text.rfind(" ", begin, at)
    if at > 0:
        return at
    if begin and text[begin] in _FLAG_LETTERS:
        # Flags are pairs of letters, counted from the start of a run.
        begin += (begin - len(text[:begin].rstrip(_FLAG_LETTERS))) % 2
    # The first end may belong to a grapheme that begins before the searched part.
    for at in reversed(list(grapheme_ends(text, begin))[1:]):
        if at < len(text) and _steady(text[at]) and _steady(text[at - 1]):
            return at
    return line


def _steady(symbol: str) -> bool:
    return symbol not in _UNSTEADY and unicodedata.category(symbol) in _STEADY


def ends_grapheme(text: str, at: int) -> bool:
    """Return whether a grapheme ends at an index after white space: a mark may combine with a space."""
    return at >= len(text) or len(graphemes(text[at - 1 : at + 1])) > 1


def grapheme_cut(text: str, at: int) -> int:
    """Return the first index at or after ``at`` that is not inside a grapheme."""
    if at <= 0 or at >= len(text):
        return min(max(at, 0), len(text))
    begin = max(text.rfind("\n", 0, at), text.rfind(" ", 0, at), 0)
    return next((end for end in grapheme_ends(text, begin) if end >= at), len(text))


def cut_near(text: str, at: int, reach: int) -> int:
    """Return an index from ``at`` to ``at + reach`` where a paragraph, a line or a word ends.

    If there is none, it is the next index between two graphemes. Some text is left after it if there is a
    grapheme after ``at``.
    """
    for separator in ("\n\n", "\n", " "):
        found = text.find(separator, at, at + reach)
        if 0 <= found < len(text) - len(separator):
            return found + len(separator)
    return grapheme_cut(text, at)


def reach_of(whole: int, held_out: int) -> int:
    """Return how many characters a cut may move to a paragraph's end. Most of the rest must be left.

    Args:
        whole: length of the text.
        held_out: wanted length of the part after the cut.
    """
    return max(1, min(whole // 50, held_out // 3))
