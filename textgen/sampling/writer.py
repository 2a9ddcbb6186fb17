"""From tokens to the text that people get: where it ends, and which part of it is certain already.

A text ends at its length, or before the first of its stop texts. It never ends inside what a reader
sees as one character (a grapheme cluster: a letter with its accent, a flag, a family of emoji), so
the end moves back to the last boundary. Whether a cluster is complete shows only with what follows;
so one more token is drawn than is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from textgen.tokenizers.stream import StreamDecoder, whole_prefix

Ending = Literal["length", "stop", "time limit", "cancelled"]


class Mark(NamedTuple):
    """A place in a text to come back to."""

    pieces: int
    written: int
    open: str
    held: str
    length: int


class Writer:
    """Puts a text together, token by token."""

    def __init__(
        self, decoder: StreamDecoder, length: int, stops: Sequence[str] = (), *, counts_tokens: bool = False
    ) -> None:
        """Begin an empty text.

        Args:
            decoder: reads tokens; what it returns consists of whole clusters.
            length: where the text ends at the latest.
            stops: texts before which it ends.
            counts_tokens: whether length is measured by the decoder instead of in characters.
        """
        self.ended: Ending | None = None
        self._decoder = decoder
        self._length = length
        self._stops = stops
        self._longest_stop = max(map(len, stops), default=0)
        self._counts_tokens = counts_tokens
        self._written = 0
        self._pieces: list[str] = []
        self._taken = 0
        # The end of the text as long as a stop text may have begun in it.
        self._open = ""

    @property
    def text(self) -> str:
        """What has been written; it is complete when `ended` says why."""
        return "".join(self._pieces)

    @property
    def pieces(self) -> int:
        """In how many pieces `text` is written."""
        return len(self._pieces)

    def since(self, pieces: int) -> str:
        """Return what has been written after so many pieces."""
        return "".join(self._pieces[pieces:])

    def mark(self) -> Mark:
        """Return the place that is reached."""
        return Mark(len(self._pieces), self._written, self._open, self._decoder.held, self._decoder.length)

    def back(self, mark: Mark, decoder: StreamDecoder) -> None:
        """Take back what was written since a place; it must not have been given away.

        Args:
            mark: the place.
            decoder: one that reads on from there.
        """
        del self._pieces[mark.pieces :]
        self._written, self._open, self.ended = mark.written, mark.open, None
        decoder.go_on(mark.held, mark.length)
        self._decoder = decoder

    def feed(self, token: int) -> None:
        """Go on by a token."""
        piece = self._decoder.feed(token)
        if self._counts_tokens:
            at_length = self._decoder.length >= self._length
            if at_length:
                piece += self._decoder.finish()
        else:
            at_length = self._written + len(piece) >= self._length
            if at_length:
                piece = whole_prefix(piece, self._length - self._written)
        if self._stops:
            self._watch(piece)
        elif piece:
            self._pieces.append(piece)
        self._written += len(piece)
        if at_length and self.ended is None:
            self.end("length")

    def end(self, ending: Ending) -> None:
        """End the text where it is, without a cluster that may be incomplete; a word is a whole one."""
        rest = self._decoder.finish() if self._counts_tokens else ""
        self._pieces.append(self._open + rest)
        self._open = ""
        self.ended = ending

    def take(self, pieces: int | None = None) -> str:
        """Return what has become certain since the last call.

        Args:
            pieces: of the first so many, or None of all.
        """
        end = len(self._pieces) if pieces is None else pieces
        fresh = "".join(self._pieces[self._taken : end])
        self._taken = max(self._taken, end)
        return fresh

    def _watch(self, piece: str) -> None:
        """Add whole clusters, and end before a stop text."""
        text = self._open + piece
        found = [(start + len(stop), start) for stop in self._stops if (start := text.find(stop)) >= 0]
        if found:
            # Of several the one that is complete first counts, as if characters came one by one.
            _, certain = min(found)
        else:
            certain = len(text) - self._begun(text)
        prefix = whole_prefix(text, certain)
        self._pieces.append(prefix)
        self._open = "" if found else text[len(prefix) :]
        if found:
            self.ended = "stop"

    def _begun(self, text: str) -> int:
        """Return the length of the longest end of the text with which a stop text begins."""
        for size in range(min(self._longest_stop - 1, len(text)), 0, -1):
            if any(stop.startswith(text[-size:]) for stop in self._stops):
                return size
        return 0
