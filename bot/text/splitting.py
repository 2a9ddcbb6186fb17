"""Splits long text into pieces for Discord: at paragraphs, lines, sentences or words, else at graphemes.

Sizes are UTF-16 code units of the text as it is shown (`safe_text.safe`), as Discord counts. Pure.
"""

import regex

from bot.text import safe_text
from textgen.unicode.graphemes import grapheme_ends, graphemes

# Places to cut a text, the best first. Each match ends where the next piece begins.
_CUTS = (
    regex.compile(r"\n\s*\n"),
    regex.compile(r"\n"),
    regex.compile(r"[.!?…。！？]['\"’”»)\]]*\s+|[。！？]"),
    regex.compile(r"\s+"),
)
# A piece must be at least this fraction of the possible length.
_LEAST = 0.5


def code_units(text: str) -> int:
    """Return the length in UTF-16 code units, as Discord counts; an emoji outside the BMP has two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def beginning(text: str, units: int) -> str:
    """Return the longest beginning of up to `units` code units, cut at a good place."""
    fits = _longest_fitting(text, units)
    if fits == len(text):
        return text
    for cut in _CUTS:
        places = [match.end() for match in cut.finditer(text, 0, fits) if match.end() >= _LEAST * fits]
        if places:
            return text[: places[-1]]
    return text[:fits]


def pieces(text: str, units: int, most: int) -> list[str] | None:
    """Split a text into up to `most` pieces of up to `units` code units; None if it is too long."""
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
    """Return the end of a text, of up to `characters` characters, beginning with a whole word."""
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
    """Return the length of a beginning that fits and splits no grapheme, close to the longest."""
    # Making a clean text safe never shortens it, so more than this cannot fit.
    head = text[: units + 64]
    ends = [0, *grapheme_ends(head)]
    if len(head) < len(text):
        ends.pop()  # the last grapheme may be incomplete, because the text was cut
    size = _size(text[: ends[-1]])
    while size > units:
        # Drop as many graphemes as are too many on average, at least one.
        fitting = min(int((len(ends) - 1) * units / size), len(ends) - 2)
        ends = ends[: fitting + 1]
        size = _size(text[: ends[-1]])
    return ends[-1]


def _size(text: str) -> int:
    return code_units(safe_text.safe(text))
