"""Passages: a word that makes a text repeat too long a passage of its corpus is drawn again.

After every token the end of the text is compared with the corpus. If it repeats too much, the text goes back
to the beginning of the word, where the token that came first is ruled out. So every try goes another way,
also where the model knows only one, and a text is as free of copies at a temperature of 0. Where a token is
a word or a part of one, the text goes back by one token.

The sequence of random numbers continues, so the same random seed gives the same text, alone or in a batch.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from textgen.inference.numerics import Float64
from textgen.sampling.writer import Writer

TRIES_A_WORD = 50
TRIES_A_TEXT = 500
"""A corpus of one repeated word leaves no way out; then the copy stays."""

LONGEST_WORD = 20
"""A text goes back by about so many characters at most: some scripts have no spaces."""

_LONGEST_LINE = 500
_IDEOGRAPHS = "\u2e80"
"""From here on, every character is a word of its own."""


class Copies(Protocol):
    """Knows a corpus (`textgen.evaluation.copies.CopyIndex`)."""

    @property
    def longest(self) -> int:
        """Characters of a passage that is allowed."""

    def repeats(self, text: str) -> bool:
        """Whether a longer passage of a text stands in the corpus."""


Corpora = Sequence[Copies]
"""What a text must not repeat."""


@dataclass(slots=True, eq=False)
class Passages:
    """Judges the words of one text.

    Attributes:
        corpora: one or more; a text may repeat too much of none of them.
        known: lines that the text must not have; None for no such lines.
        line: the part of the first line that the seed holds.
        spells: whether a token is a letter, so that a word is drawn again as a whole.
        in_seed: whether the first tokens still spell the end of the seed.
        begun: number of pieces of the text before the word.
    """

    corpora: Corpora
    known: Container[str] | None = None
    line: str = ""
    spells: bool = True
    in_seed: bool = False
    begun: int = 0
    _kept: int = 0
    _first: int | None = None
    _ruled_out: list[int] = field(default_factory=list)
    _stuck: bool = False
    _tries: int = 0

    def rule_out(self, logits: Float64) -> None:
        """Rule out the first tokens of the word's former tries, if it is to begin now and there are others.

        Args:
            logits: shape (vocabulary,); changed in place.
        """
        if self._first is None and self._ruled_out:
            before = logits[self._ruled_out]
            logits[self._ruled_out] = -np.inf
            if np.isneginf(logits).all():
                logits[self._ruled_out], self._stuck = before, True

    def drawn(self, token: int) -> None:
        """Take note of a token that was drawn."""
        if self._first is None:
            self._first = token

    def judge(self, writer: Writer) -> bool | None:
        """Return whether the word is accepted that has just ended; False also before its end; None: go on."""
        if writer.ended is None and not writer.is_whole:
            return None  # half a character, or a part of the seed
        characters = writer.characters
        fresh = characters - self._kept
        if self.in_seed:
            self.in_seed = False
            return self._accept(writer, characters)
        if fresh > 0 and (self._repeats(writer, fresh) or self._is_known(writer, fresh)):
            self._tries += 1
            patient = len(self._ruled_out) < TRIES_A_WORD and self._tries <= TRIES_A_TEXT
            if patient and not self._stuck and self._first is not None:
                self._ruled_out.append(self._first)
                self._first = None
                return False
            return self._accept(writer, characters)
        ended = writer.ended is not None or not self.spells or fresh >= LONGEST_WORD
        return self._accept(writer, characters) if ended or _ends_a_word(writer.end_of(1)) else None

    def _accept(self, writer: Writer, characters: int) -> bool:
        self.begun, self._kept = writer.pieces, characters
        self._first, self._stuck = None, False
        self._ruled_out.clear()
        return True

    def _repeats(self, writer: Writer, fresh: int) -> bool:
        # A passage that is too long only now begins at most so many characters before.
        return any(corpus.repeats(writer.end_of(fresh + corpus.longest)) for corpus in self.corpora)

    def _is_known(self, writer: Writer, fresh: int) -> bool:
        """Whether a line has just ended that the text must not have."""
        if self.known is None:
            return False
        text = writer.end_of(fresh + _LONGEST_LINE)
        ended = text[-fresh:].count("\n") + (writer.ended == "stop")
        lines = (text if len(text) < writer.characters else self.line + text).split("\n")
        if writer.ended != "stop":
            lines.pop()
        judged = lines[len(lines) - ended :]
        return any(line.strip() and line in self.known for line in judged)


def _ends_a_word(end: str) -> bool:
    return bool(end) and (not end.isalnum() or end >= _IDEOGRAPHS)
