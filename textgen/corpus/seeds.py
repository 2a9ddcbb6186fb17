"""Line starts: beginnings of the corpus' lines that a bundle keeps as prompts for samples.

This module must not import NumPy or Keras.
"""

from __future__ import annotations

import re

from textgen.unicode.graphemes import grapheme_ends

_COUNT = 50
_LONGEST = 60
# In a text with fewer lines, parts of lines are used too, or all samples would begin in the same way.
_FEW_LINES = 10
_HEAD = 1 << 16
_SENTENCE = re.compile(r"[.!?…][\"'”’»)\]]*\s+|[。！？…][”’」』]*")
_WORD = re.compile(r"\s+")
_APART = 30


class LineStarts:
    """Collects up to `_COUNT` line starts, spread evenly over a text that arrives in pieces.

    A line start is cut after a word, to at most `_LONGEST` characters.
    """

    def __init__(self) -> None:
        """Start before the first line."""
        self._kept: dict[str, None] = {}
        self._every = 1
        self._lines = 0
        self._rest = self._head = ""

    def add(self, text: str) -> None:
        """Read the next piece."""
        self._head += text[: _HEAD - len(self._head)]
        *lines, rest = (self._rest + text).split("\n")
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
        self._kept[_start(line)] = None
        if len(self._kept) == 4 * _COUNT:
            # Keep every second one, and from now on look at half as many lines: the text can have any length.
            self._kept = dict.fromkeys(list(self._kept)[::2])
            self._every *= 2

    def starts(self) -> list[str]:
        """Return the line starts, in the order of the text."""
        if self._rest.strip():
            self._see([self._rest.strip()])
            self._rest = ""
        kept = list(self._kept)
        if len(kept) < _FEW_LINES:
            kept = list(dict.fromkeys([*kept, *_within(self._head)]))
        count = min(_COUNT, len(kept))
        return [kept[index * len(kept) // count] for index in range(count)]


def _start(line: str) -> str:
    """Return the beginning of a line, cut after a word."""
    start = line[:_LONGEST]
    return start.rsplit(" ", 1)[0] if len(line) > _LONGEST and " " in start else start


def _within(text: str) -> list[str]:
    """Return beginnings of sentences; of words or characters if there are too few sentences."""
    sentences = map(re.Match.end, _SENTENCE.finditer(text))
    words = map(re.Match.end, _WORD.finditer(text))
    starts: list[int] = []
    for ends in (sentences, words, grapheme_ends(text)):
        starts = [0]
        for end in ends:
            if end - starts[-1] >= _APART:
                starts.append(end)
        if len(starts) >= _FEW_LINES:
            break
    beginnings = (text[at : at + 2 * _LONGEST].strip().split("\n", 1)[0] for at in starts)
    return [_start(line) for line in beginnings if len(line) > 1]
