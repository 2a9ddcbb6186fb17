"""What a model thinks of the tokens of a text: the natural logarithms of their probabilities.

They are the model's own, before every control and before the temperature: those that `textgen evaluate`
measures, and not those that a token was drawn with.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from textgen.inference.numerics import Float64, log_softmax
from textgen.tokenizers import Tokenizer
from textgen.tokenizers.byte_pieces import BytePieces

LOWEST = -9999.0
"""Stands for minus infinity, which JSON does not have. OpenAI's service uses this number, too."""


class Score(NamedTuple):
    """A token of a text.

    Attributes:
        token: its text; a part of a character as "<E2 82>".
        length: characters that it adds to the text.
        log_probability: natural logarithm; None for the first token of a text.
        top: the likeliest tokens at its place, and the token itself, each with its logarithm.
    """

    token: str
    length: int
    log_probability: float | None
    top: dict[str, float]


class Scores:
    """The scores of one text."""

    def __init__(self, tokenizer: Tokenizer, before: int | None, top: int, begin: int = 0) -> None:
        """Start a text.

        Args:
            tokenizer: the model's.
            before: the token before the text; None if there is none.
            top: how many of the likeliest tokens are kept for each place.
            begin: where the first token begins, in characters from the begin of the text; below 0 if the
                first tokens spell the end of a seed.
        """
        self._tokenizer, self._before, self._top = tokenizer, before, top
        self._scores: list[Score] = []
        self._logarithms: Float64 | None = None
        self._taken = 0
        self._offset = begin

    def look(self, logits: Float64) -> None:
        """Read the logits of the next token, shape (vocabulary,)."""
        self._logarithms = log_softmax(logits)

    def add(self, token: int, text: str) -> None:
        """Append a token and the text that it adds."""
        shown = self._name(token)
        if self._logarithms is None:
            self._scores.append(Score(shown, len(text), None, {}))
        else:
            logarithms = self._logarithms
            own = max(float(logarithms[token]), LOWEST)
            top = {self._name(other): max(float(logarithms[other]), LOWEST) for other in self._likeliest()}
            if self._top:
                top.setdefault(shown, own)
            self._scores.append(Score(shown, len(text), own, top))
        self._before = token

    def back(self, tokens: int, before: int) -> None:
        """Forget all but the first tokens; ``before`` is the last of these.

        Of the rest, only tokens that spell the end of a seed may have been taken: nothing was told of them.
        """
        self._offset -= sum(score.length for score in self._scores[tokens : self._taken])
        self._taken = min(self._taken, tokens)
        del self._scores[tokens:]
        self._before = before

    def take(self, shown: int, *, ended: bool) -> list[Score]:
        """Return the scores that were not taken yet, up to a place in the text.

        Args:
            shown: number of characters that are certain; the text's length once it has ended.
            ended: whether the text has ended: then a token that goes on behind its end is cut.
        """
        taken: list[Score] = []
        while self._taken < len(self._scores):
            score, begin = self._scores[self._taken], self._offset
            end = begin + score.length
            if end > shown and not (ended and begin < shown):
                break
            self._taken += 1
            self._offset = end
            if end > 0 or begin >= 0:
                taken.append(_cut(score, max(0, -begin), min(end, shown) - begin))
        return taken

    def _likeliest(self) -> list[int]:
        if not self._top or self._logarithms is None:
            return []
        negative = -self._logarithms
        most = min(self._top, len(negative))
        found = np.argpartition(negative, most - 1)[:most]
        return [int(token) for token in sorted(found, key=lambda token: (negative[token], token))]

    def _name(self, token: int) -> str:
        """Return a token's text at this place: at word level, with the space before it."""
        if isinstance(self._tokenizer, BytePieces):
            return self._tokenizer.name_of(token)
        return self._tokenizer.decode([token], () if self._before is None else [self._before])


def _cut(score: Score, start: int, end: int) -> Score:
    """Return the part of a token that belongs to the text; a part of a character has no parts."""
    if (start == 0 and end == score.length) or len(score.token) != score.length:
        return score._replace(length=end - start)
    return score._replace(token=score.token[start:end], length=end - start)
