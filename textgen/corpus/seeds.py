"""Beginnings of lines, kept in a bundle so that a sample has something to begin with.

This module must not import NumPy or Keras.
"""

from __future__ import annotations

_COUNT = 50
_LONGEST = 60


class LineStarts:
    """Gathers up to `_COUNT` beginnings of lines, spread evenly over a text that comes in pieces.

    A line is cut after a word so that it has at most `_LONGEST` characters.
    """

    def __init__(self) -> None:
        """Begin before the first line."""
        self._kept: dict[str, None] = {}
        self._every = 1
        self._lines = 0
        self._rest = ""

    def add(self, text: str) -> None:
        """Look at the next piece."""
        *lines, rest = text.split("\n")
        if not lines:
            self._rest = (self._rest + rest)[: 4 * _LONGEST]
            return
        lines[0] = self._rest + lines[0]
        self._rest = rest[: 4 * _LONGEST]
        self._see(list(filter(None, map(str.strip, lines))))

    def _see(self, lines: list[str]) -> None:
        at = -self._lines % self._every
        while at < len(lines):
            self._keep(lines[at])
            at += 1
            at += -(self._lines + at) % self._every
        self._lines += len(lines)

    def _keep(self, line: str) -> None:
        start = line[:_LONGEST]
        if len(line) > _LONGEST and " " in start:
            start = start.rsplit(" ", 1)[0]
        self._kept[start] = None
        if len(self._kept) == 4 * _COUNT:
            # Every second one of twice as many: the text may be of any length.
            self._kept = dict.fromkeys(list(self._kept)[::2])
            self._every *= 2

    def starts(self) -> list[str]:
        """Return the beginnings, in the order of the text."""
        if self._rest.strip():
            self._see([self._rest.strip()])
            self._rest = ""
        kept = list(self._kept)
        count = min(_COUNT, len(kept))
        return [kept[index * len(kept) // count] for index in range(count)]


def line_starts(text: str) -> list[str]:
    """Return up to 50 different beginnings of lines, spread evenly over the text."""
    found = LineStarts()
    found.add(text)
    return found.starts()
