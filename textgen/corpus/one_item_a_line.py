r"""Texts of one item a line: names, titles, tweets, jokes.

A text has one item a line if these conditions hold for its lines that are not blank:

- there are at least `FEWEST`, and at most 1 % as many blank lines;
- 95 % have at most `LONGEST` characters and no indentation;
- 90 % do not continue in the next line: they do not end in ``, ; : - ( [ { \`` or a dash. If most lines
  begin with a capital, no line without a full stop is followed by a small letter;
- most are not filled to a common width, as wrapped prose is;
- at least half of them are different.

Verse is excluded by lines that end in a comma, and plays by names that end in a colon. A song or a dialogue
without either may pass; then its samples begin a line of their own, and lines of the text are drawn again.
This module must not import NumPy or Keras.
"""

from __future__ import annotations

import hashlib

FEWEST, LONGEST = 20, 300
MOST_KNOWN = 1_000_000
"""Highest number of different lines that are remembered."""

_LOOKED_AT_FIRST = 2_000
_NARROWEST, _WIDEST = 40, 130
_SLACK = 6
_CONTINUING = (",", ";", ":", "-", "–", "—", "(", "[", "{", "\\", "，", "、", "；", "：")
_FULL_STOPS = (".", "!", "?", "…", "。", "！", "？", '"', "”", "’", "»", ")")


def line_key(line: str) -> int:
    """Return a 32-bit hash of a line that ignores case and spaces."""
    folded = "".join(line.split()).casefold().encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(folded, digest_size=4).digest(), "big")


class ItemLines:
    """Finds out whether a clean text, which arrives in pieces, has one item a line.

    Attributes:
        known: hashes (`line_key`) of the lines so far.
    """

    def __init__(self) -> None:
        """Start before the first line."""
        self.known: set[int] = set()
        self._rest = ""
        self._over = False
        self._lines = self._blank = self._long = self._indented = 0
        self._continuing = self._capitals = self._small_after_open = 0
        self._before = ""
        self._first: list[str] = []

    def add(self, text: str, *, only_known: bool = False) -> None:
        """Read the next piece.

        Args:
            text: the piece.
            only_known: whether the piece is held out: its lines are remembered, but not judged.
        """
        if self._over:
            return
        *lines, rest = (self._rest + text).split("\n")
        # A line that is longer than an item is cut: its length is known to be too long.
        self._rest = rest[: 4 * LONGEST]
        for line in lines:
            self._see(line, only_known=only_known)
            if len(self._first) == _LOOKED_AT_FIRST:
                self._over = not self._is_items()
                self._first.clear()
                if self._over:
                    self.known.clear()
                    return

    def _see(self, line: str, *, only_known: bool) -> None:
        stripped = line.strip()
        if stripped and len(line) <= LONGEST and len(self.known) <= MOST_KNOWN:
            self.known.add(line_key(line))
        if only_known:
            return
        if not stripped:
            self._blank += 1
            return
        if self._lines < _LOOKED_AT_FIRST:
            self._first.append(line)
        self._lines += 1
        self._long += len(line) > LONGEST
        self._indented += line[0] in " \t\u3000"
        self._continuing += stripped.endswith(_CONTINUING)
        self._capitals += stripped[0].isupper()
        if self._before and not self._before.endswith(_FULL_STOPS + _CONTINUING) and stripped[0].islower():
            self._small_after_open += 1
        self._before = stripped

    def found(self) -> bool:
        """Return whether the text has one item a line."""
        if self._rest:
            self._see(self._rest, only_known=False)
            self._rest = ""
        return not self._over and self._is_items()

    def _is_items(self) -> bool:
        lines = self._lines
        if lines < FEWEST or self._blank > 0.01 * lines:
            return False
        if self._long + self._indented > 0.05 * lines:
            return False
        continuing = self._continuing
        if self._capitals > 0.5 * lines:
            continuing += self._small_after_open
        if continuing > 0.1 * lines or len(self.known) < 0.5 * min(lines, MOST_KNOWN):
            return False
        return not self._first or not _filled(self._first)


def _filled(lines: list[str]) -> bool:
    """Return whether most lines break where the next word would not have fitted."""
    width = max(map(len, lines))
    if not _NARROWEST <= width <= _WIDEST:
        return False
    firsts = [line.split(maxsplit=1)[0] for line in lines[1:]]
    full = sum(
        1 for line, first in zip(lines, firsts, strict=False) if len(line) + 1 + len(first) > width - _SLACK
    )
    return full > 0.5 * len(firsts)
