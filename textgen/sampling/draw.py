"""Drawing: from logits and random numbers to tokens, for all texts of a batch at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from textgen.inference.numerics import Float64

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
        given = np.array(temperatures, np.float64)
        self._divisors = np.maximum(given, LOWEST_TEMPERATURE)[:, None]
        self._greedy = given == 0
        self._any_greedy = bool(self._greedy.any())
        self._divisor = float(self._divisors[0, 0]) if len(given) else 1.0

    def __call__(self, logits: Float64, uniforms: Float64) -> npt.NDArray[np.intp]:
        """Return the next token of each text.

        Args:
            logits: shape (batch, vocabulary), -inf for tokens that are ruled out; changed in place.
            uniforms: random numbers in [0, 1), shape (batch,).

        Returns:
            Shape (batch,).
        """
        if len(logits) == 1 and not self._any_greedy:
            return self._of_one(logits[0], uniforms[0])
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

    def _of_one(self, logits: Float64, uniform: float) -> npt.NDArray[np.intp]:
        """Do the same for a single text, in half the time."""
        logits -= np.maximum.reduce(logits)
        logits /= self._divisor
        weights = np.exp(logits, out=logits)
        cumulative = np.add.accumulate(weights)
        token = cumulative.searchsorted(uniform * cumulative[-1], side="right")
        if token == len(weights):
            token = np.flatnonzero(weights)[-1]
        return np.array([token], np.intp)
