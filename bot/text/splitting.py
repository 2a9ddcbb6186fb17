"""Long text in pieces that Discord takes: cut between paragraphs, lines, sentences, words, else graphemes.

Sizes are in UTF-16 code units of the text as it is shown (`safe_text.safe`): Discord counts those. Pure.
"""

import regex

from bot.text import safe_text
from textgen.unicode.graphemes import grapheme_ends, graphemes

# Where a text may be cut, the best place first. Each match ends where the next piece begins.
_CUTS = (
    regex.compile(r"\n\s*\n"),
    regex.compile(r"\n"),
    regex.compile(r"[.!?…。！？]['\"’”»)\]]*\s+|[。！？]"),
    regex.compile(r"\s+"),
)
# A cut that leaves a piece shorter than this share of what there is room for is a waste.
_LEAST = 0.5


def code_units(text: str) -> int:
    """Length in UTF-16 code units, as Discord counts; an emoji outside the BMP is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def beginning(text: str, units: int) -> str:
    """The longest beginning of a text that fits into so many units, up to a good place to cut it."""
    fits = _longest_fitting(text, units)
    if fits == len(text):
        return text
    for cut in _CUTS:
        places = [match.end() for match in cut.finditer(text, 0, fits) if match.end() >= _LEAST * fits]
        if places:
            return text[: places[-1]]
    return text[:fits]


def pieces(text: str, units: int, most: int) -> list[str] | None:
    """The text in at most so many pieces of at most so many units each, or None where it is too long."""
    parts: list[str] = []
    while text:
        if len(parts) == most:
            return None
        parts.append(beginning(text, units))
        text = text[len(parts[-1]) :]
        if not parts[-1]:
            return None
    return parts


def ending(text: str, characters: int) -> str:
    """The end of a text, of at most so many characters and from the beginning of a word on."""
    if len(text) <= characters:
        return text
    kept: list[str] = []
    for grapheme in reversed(graphemes(text[-2 * characters :])):
        characters -= len(grapheme)
        if characters < 0:
            break
        kept.append(grapheme)
    tail = "".join(reversed(kept))
    space = regex.search(r"\s+", tail)
    return tail[space.end() :] if space and space.end() < len(tail) / 2 else tail


def _longest_fitting(text: str, units: int) -> int:
    """Length of a beginning that fits and splits no grapheme, the longest or a little shorter."""
    # A clean text is never shorter when it is safe: more than this cannot fit.
    head = text[: units + 64]
    ends = [0, *grapheme_ends(head)]
    if len(head) < len(text):
        ends.pop()  # the last one may go on where the text was cut off
    size = _size(text[: ends[-1]])
    while size > units:
        # As many graphemes less as are too much on the average, at least one.
        fitting = min(int((len(ends) - 1) * units / size), len(ends) - 2)
        ends = ends[: fitting + 1]
        size = _size(text[: ends[-1]])
    return ends[-1]


def _size(text: str) -> int:
    return code_units(safe_text.safe(text))
