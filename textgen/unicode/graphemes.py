r"""User-perceived characters (grapheme clusters) in linear time.

At each position in a run of flag letters (regional indicators) the pattern ``\X`` looks back over the whole
run, so its time grows with the square of the run's length. Flags are pairs counted from the start of the run,
so a run can be cut after an even number of letters.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

_CLUSTER = regex.compile(r"\X")
_FLAG_LETTERS = 32
_LONG_FLAGS = regex.compile(rf"\p{{RI}}{{{_FLAG_LETTERS}}}(?=\p{{RI}})")


def graphemes(text: str) -> list[str]:
    """Return user-perceived characters: a family emoji or a letter with its accents is one."""
    if text.isascii() and "\r" not in text:
        return list(text)
    found: list[str] = []
    for begin, end in _parts(text, 0):
        found += _CLUSTER.findall(text[begin:end])
    return found


def grapheme_ends(text: str, begin: int = 0) -> Iterator[int]:
    """Yield the index where each user-perceived character ends.

    Args:
        text: any text.
        begin: index where a user-perceived character begins; the text before it is ignored.
    """
    for start, end in _parts(text, begin):
        for cluster in _CLUSTER.finditer(text[start:end]):
            # At the end of the text the pattern also matches the empty string.
            if cluster.end() > cluster.start():
                yield start + cluster.end()


def _parts(text: str, begin: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges of a text's parts, cut between two flags in long runs of flags."""
    for flags in _LONG_FLAGS.finditer(text, begin):
        yield begin, flags.end()
        begin = flags.end()
    if begin < len(text):
        yield begin, len(text)
