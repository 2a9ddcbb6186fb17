"""Passages: a word that makes a text repeat too long a passage of its corpus is drawn again.

Whenever a word ends, the end of the text is compared with the corpus. If it repeats too much, the text goes
back to the beginning of the word, where the token that came first is ruled out. So every try goes another
way, also where the model knows only one, and a text is as free of copies at a temperature of 0.

The sequence of random numbers continues, so the same random seed gives the same text, alone or in a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from textgen.inference.numerics import Float64
from textgen.sampling.writer import Writer

TRIES_A_WORD = 50
TRIES_A_TEXT = 500
"""A corpus of one repeated word leaves no way out; then the copy stays."""

_WITHOUT_SPACES = "\u2e80"
"""From the first Chinese character on, scripts have few spaces, and every character ends a word here."""


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
        begun: number of pieces of the text before the word.
        copied: number of words that were accepted although they are copies.
    """

    corpora: Corpora
    begun: int = 0
    copied: int = 0
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
        """Return whether the word that has just ended is accepted, or None if none has ended."""
        text = writer.so_far
        if writer.ended is None and not _ends_a_word(text):
            return None
        if self._repeats(text):
            self._tries += 1
            patient = len(self._ruled_out) < TRIES_A_WORD and self._tries <= TRIES_A_TEXT
            if patient and not self._stuck and self._first is not None:
                self._ruled_out.append(self._first)
                self._first = None
                return False
            self.copied += 1
        self.begun, self._kept = writer.pieces, len(text)
        self._first, self._stuck = None, False
        self._ruled_out.clear()
        return True

    def _repeats(self, text: str) -> bool:
        # A passage that is too long only now begins at most so many characters before the word.
        return any(corpus.repeats(text[max(0, self._kept - corpus.longest - 1) :]) for corpus in self.corpora)


def _ends_a_word(text: str) -> bool:
    return bool(text) and (not text[-1].isalnum() or text[-1] >= _WITHOUT_SPACES)
