"""The lines of a table's text, and their numbers for error messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_LINE_BREAK = re.compile("\r\n|\r|\n")


class Lines(Iterator[str]):
    r"""Iterates over the lines of a text that arrives in pieces. Lines keep their line breaks.

    Only ``\r``, ``\n`` and ``\r\n`` end a line: a field may contain Unicode's other line breaks.

    Args:
        pieces: the text.

    Attributes:
        number: number of the line that was returned last, from 1.
    """

    def __init__(self, pieces: Iterable[str]) -> None:
        """Start before the first line."""
        self.number = 0
        self._lines = self._split(pieces)

    def __next__(self) -> str:
        """Return the next line."""
        line = next(self._lines)
        self.number += 1
        return line

    def _split(self, pieces: Iterable[str]) -> Iterator[str]:
        rest: list[str] = []
        held = ""
        for piece in pieces:
            # A carriage return at a piece's end may be the first half of a line break.
            text = held + piece
            held = "\r" if text.endswith("\r") else ""
            text = text.removesuffix("\r") if held else text
            begin = 0
            for found in _LINE_BREAK.finditer(text):
                yield "".join([*rest, text[begin : found.end()]])
                rest.clear()
                begin = found.end()
            if begin < len(text):
                rest.append(text[begin:])
        if rest or held:
            yield "".join([*rest, held])
