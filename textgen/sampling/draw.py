"""Drawing: from logits and random numbers to tokens, for all texts of a batch at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from textgen.inference.numerics import Float64

_WIDE = 4096
"""From so many tokens on, each text is drawn alone: what it needs stays in the processor's cache."""

_PIECE = 256

LOWEST_TEMPERATURE = 1e-9
"""A lower temperature draws the same tokens in 64 bits, but its divisions can overflow."""


class Draw:
    """Draws a token for each text of a batch.

    Every row is computed independently, so a text does not depend on the other texts of the batch.

    Args:
        temperatures: one for each text; 0 takes the likeliest token.
    """

    def __init__(self, temperatures: Sequence[float]) -> None:
        """Prepare the values that stay the same from step to step."""
        self._given = [float(temperature) for temperature in temperatures]
        given = np.array(self._given, np.float64)
        self._divisors = np.maximum(given, LOWEST_TEMPERATURE)[:, None]
        self._greedy = given == 0
        self._any_greedy = bool(self._greedy.any())

    def __call__(self, logits: Float64, uniforms: Float64) -> npt.NDArray[np.intp]:
        """Return the next token of each text.

        Args:
            logits: shape (batch, vocabulary), -inf for tokens that are ruled out; changed in place.
            uniforms: random numbers in [0, 1), shape (batch,).

        Returns:
            Shape (batch,).
        """
        if len(logits) == 1 or logits.shape[1] >= _WIDE:
            rows = zip(logits, uniforms.tolist(), self._given, strict=True)
            return np.array([_of_one(*row) for row in rows], np.intp)
        likeliest = logits.argmax(axis=1) if self._any_greedy else None
        # Subtracting before dividing keeps the lowest temperature from overflowing.
        logits -= np.maximum.reduce(logits, axis=1, keepdims=True)
        logits /= self._divisors
        weights = np.exp(logits, out=logits)
        cumulative = np.add.accumulate(weights, axis=1)
        bounds = uniforms * cumulative[:, -1]
        tokens: npt.NDArray[np.intp] = np.add.reduce(cumulative <= bounds[:, None], axis=1, dtype=np.intp)
        if tokens.max() == weights.shape[1]:
            # Rounding put the last bound at the random number: take the last token that is not ruled out.
            last = weights.shape[1] - 1 - (weights[:, ::-1] > 0).argmax(axis=1)
            tokens = np.minimum(tokens, last)
        return tokens if likeliest is None else np.where(self._greedy, likeliest, tokens)


def _of_one(logits: Float64, uniform: float, temperature: float) -> int:
    """Do what `Draw` does, to the bit, for a single text."""
    if temperature == 0:
        return int(logits.argmax())
    logits -= np.maximum.reduce(logits)
    logits /= max(temperature, LOWEST_TEMPERATURE)
    weights = np.exp(logits, out=logits)
    begin = 0
    if len(weights) < _WIDE:
        cumulative = np.add.accumulate(weights)
        bound = uniform * cumulative[-1]
    else:
        # Adding so many weights one after the other is slow, so the piece with the token is found first.
        ends = np.add.accumulate(np.add.reduceat(weights, np.arange(0, len(weights), _PIECE)))
        bound = uniform * ends[-1]
        # Rounding may put the bound at the very end: the total is reached by the last piece that has any.
        piece = min(ends.searchsorted(bound, side="right"), ends.searchsorted(ends[-1]))
        begin = int(piece) * _PIECE
        weights = weights[begin : begin + _PIECE]
        cumulative = np.add.accumulate(weights)
        bound -= ends[piece - 1] if piece else 0.0
    token = int(cumulative.searchsorted(bound, side="right"))
    return begin + (token if token < len(weights) else int(np.flatnonzero(weights)[-1]))
