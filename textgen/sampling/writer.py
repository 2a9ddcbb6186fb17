"""From tokens to the text that people get: where it ends, and which part of it is final.

A text ends at its length, or before the first of its stop sequences. It never ends inside a grapheme
cluster (what a reader sees as one character: a letter with its accent, a flag, a family of emoji), so the
end moves back to the last boundary. Only the next character shows whether a cluster is complete, so one
more token is drawn than is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from textgen.tokenizers.stream import StreamDecoder, whole_prefix

Ending = Literal["length", "stop", "time limit", "cancelled"]


class Mark(NamedTuple):
    """A position in a text that it can be rewound to."""

    pieces: int
    written: int
    open: str
    held: str
    length: int
    skip: int
    fed: int
    of_seed: int


class Writer:
    """Builds a text, token by token."""

    def __init__(
        self,
        decoder: StreamDecoder,
        length: int,
        stops: Sequence[str] = (),
        *,
        counts_tokens: bool = False,
        skip: int = 0,
    ) -> None:
        """Start an empty text.

        Args:
            decoder: turns tokens into text that consists of whole clusters.
            length: maximum length.
            stops: stop sequences; the text ends before the first of them.
            counts_tokens: whether the decoder measures the length (in words) instead of characters.
            skip: number of characters at the beginning that belong to the seed.
        """
        self.ended: Ending | None = None
        self._decoder = decoder
        self._length = length
        self._stops = stops
        self._longest_stop = max(map(len, stops), default=0)
        self._counts_tokens = counts_tokens
        self._skip = self._seed = skip
        self._most_tokens: int | None = None
        self._of_seed = 0
        self.fed = 0
        """Number of tokens of the text so far, those that spell the end of the seed included."""
        self._written = 0
        self._pieces: list[str] = []
        self._taken = 0
        # The end of the text, while it may be the beginning of a stop sequence.
        self._open = ""

    @property
    def text(self) -> str:
        """The text so far; it is complete once `ended` is not None."""
        return "".join(self._pieces)

    @property
    def is_whole(self) -> bool:
        """Whether the text begins behind the seed, and its last character is complete."""
        return not self._skip and not self._decoder.in_character

    @property
    def characters(self) -> int:
        """Number of characters so far, those included that are held back because they may still change."""
        return len(self.text) if self.ended else self._written + len(self._decoder.held)

    def end_of(self, characters: int) -> str:
        """Return so many of the last characters, those included that are held back."""
        held = "" if self.ended else self._open + self._decoder.held
        parts, missing = [held], characters - len(held)
        for piece in reversed(self._pieces):
            if missing <= 0:
                break
            parts.append(piece)
            missing -= len(piece)
        return "".join(reversed(parts))[-characters:]

    @property
    def pieces(self) -> int:
        """Number of pieces of `text`."""
        return len(self._pieces)

    @property
    def latest(self) -> str:
        """The text that the latest token added, before the text's end is cut."""
        return self._decoder.latest

    def limit_tokens(self, most: int) -> None:
        """End the text after so many tokens, not counting those that only spell the end of the seed."""
        self._most_tokens = most

    def since(self, pieces: int) -> str:
        """Return the text after the first ``pieces`` pieces."""
        return "".join(self._pieces[pieces:])

    def mark(self) -> Mark:
        """Return the current position."""
        held, length = self._decoder.held, self._decoder.length
        counted = self._skip, self.fed, self._of_seed
        return Mark(len(self._pieces), self._written, self._open, held, length, *counted)

    def back(self, mark: Mark, decoder: StreamDecoder) -> None:
        """Rewind to a position. The text after it must not have been taken yet.

        Args:
            mark: the position.
            decoder: a decoder that continues from there.
        """
        del self._pieces[mark.pieces :]
        self._written, self._open, self._skip, self.ended = mark.written, mark.open, mark.skip, None
        self.fed, self._of_seed = mark.fed, mark.of_seed
        decoder.go_on(mark.held, mark.length)
        self._decoder = decoder

    def feed(self, token: int) -> None:
        """Append a token."""
        piece = self._decoder.feed(token)
        self.fed += 1
        if self._seed and self._decoder.length <= self._seed:
            self._of_seed += 1
        if self._skip:
            seed = min(self._skip, len(piece))
            piece, self._skip = piece[seed:], self._skip - seed
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
        if self.ended is None and self.fed - self._of_seed == self._most_tokens:
            self._end_whole()

    def end(self, ending: Ending) -> None:
        """End the text here, without a cluster that may be incomplete; a word is always complete."""
        rest = self._decoder.finish() if self._counts_tokens else ""
        self._pieces.append(self._open + rest)
        self._open = ""
        self.ended = ending

    def take(self, pieces: int | None = None) -> str:
        """Return the text that became final since the last call.

        Args:
            pieces: only from the first ``pieces`` pieces; None for all of them.
        """
        end = len(self._pieces) if pieces is None else pieces
        fresh = "".join(self._pieces[self._taken : end])
        self._taken = max(self._taken, end)
        return fresh

    def _end_whole(self) -> None:
        """End the text behind its latest token. Its last cluster is shown, although it might have grown."""
        held = self._decoder.held[self._skip :]
        if self._stops:
            self._watch(held)
        else:
            self._pieces.append(held)
        if self.ended is None:
            self.end("length")

    def _watch(self, piece: str) -> None:
        """Append whole clusters, and end before a stop sequence."""
        text = self._open + piece
        found = [(start + len(stop), start) for stop in self._stops if (start := text.find(stop)) >= 0]
        if found:
            # If there are several, the one that is complete first ends the text.
            _, certain = min(found)
        else:
            certain = len(text) - self._begun(text)
        prefix = whole_prefix(text, certain)
        self._pieces.append(prefix)
        self._open = "" if found else text[len(prefix) :]
        if found:
            self.ended = "stop"

    def _begun(self, text: str) -> int:
        """Return the length of the longest end of the text that is the beginning of a stop sequence."""
        for size in range(min(self._longest_stop - 1, len(text)), 0, -1):
            if any(stop.startswith(text[-size:]) for stop in self._stops):
                return size
        return 0
