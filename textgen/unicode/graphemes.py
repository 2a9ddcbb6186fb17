r"""User-perceived characters in linear time, whatever the text.

The pattern ``\X`` looks back over a whole run of flag letters (regional indicators) at each place in it,
so its time grows with the square of the run's length. Flags are pairs counted from the run's beginning:
a run that is cut after an even number of letters is read as before.
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
    """Return where each user-perceived character ends, counted from the text's beginning.

    Args:
        text: any text.
        begin: where a user-perceived character begins; what stands before it is not looked at.
    """
    for start, end in _parts(text, begin):
        for cluster in _CLUSTER.finditer(text[start:end]):
            # The pattern also finds nothing at all at the very end.
            if cluster.end() > cluster.start():
                yield start + cluster.end()


def _parts(text: str, begin: int) -> Iterator[tuple[int, int]]:
    """Return parts of a text, cut between two flags where there are many."""
    for flags in _LONG_FLAGS.finditer(text, begin):
        yield begin, flags.end()
        begin = flags.end()
    if begin < len(text):
        yield begin, len(text)
