"""The draw: from logits and random numbers to tokens, for all texts of a batch at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from textgen.inference.numerics import Float64

LOWEST_TEMPERATURE = 1e-9
"""Below it the draw is the same in 64 bits, but for divisions that overflow."""


class Draw:
    """Draws a token for each text of a batch.

    Every row is worked out on its own, element by element, so a text is the same in any company.

    Args:
        temperatures: one for each text; 0 takes the likeliest token.
    """

    def __init__(self, temperatures: Sequence[float]) -> None:
        """Prepare what stays the same from step to step."""
        given = np.array(temperatures, np.float64)
        self._divisors = np.maximum(given, LOWEST_TEMPERATURE)[:, None]
        self._greedy = given == 0
        self._any_greedy = bool(self._greedy.any())
        self._divisor = float(self._divisors[0, 0]) if len(given) else 1.0

    def __call__(self, logits: Float64, uniforms: Float64) -> npt.NDArray[np.intp]:
        """Return the next token of each text.

        Args:
            logits: shape (batch, vocabulary), -inf for what cannot come; changed in place.
            uniforms: random numbers from 0 up to, but not, 1; shape (batch,).

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
            # Rounding has put the last bound at the drawn number: take the last token that can come.
            last = weights.shape[1] - 1 - (weights[:, ::-1] > 0).argmax(axis=1)
            tokens = np.minimum(tokens, last)
        return tokens if likeliest is None else np.where(self._greedy, likeliest, tokens)

    def _of_one(self, logits: Float64, uniform: float) -> npt.NDArray[np.intp]:
        """Do the same, number by number, for a text that is alone: in half the time."""
        logits -= np.maximum.reduce(logits)
        logits /= self._divisor
        weights = np.exp(logits, out=logits)
        cumulative = np.add.accumulate(weights)
        token = cumulative.searchsorted(uniform * cumulative[-1], side="right")
        if token == len(weights):
            token = np.flatnonzero(weights)[-1]
        return np.array([token], np.intp)
