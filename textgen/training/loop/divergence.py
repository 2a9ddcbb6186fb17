"""Detecting that a training diverges."""

from __future__ import annotations

import math

_REMEMBERED = 0.9
_WORSE_THAN_GUESSING = 1.0


class DivergedError(Exception):
    """The loss is not a number, or higher than that of guessing."""


class LossWatch:
    """Follows a moving average of the loss, so that one bad batch is not an alarm.

    Args:
        vocabulary: number of tokens.
    """

    def __init__(self, vocabulary: int) -> None:
        """Set the highest loss that does not count as divergence: a little more than that of guessing."""
        self._worst = math.log(vocabulary) + _WORSE_THAN_GUESSING
        self._recent: float | None = None

    def see(self, loss: float, step: int) -> None:
        """Check the loss of a step.

        Raises:
            DivergedError: the training has diverged.
        """
        if not math.isfinite(loss):
            raise DivergedError(f"the loss is {loss} after {step:,} steps")
        before = loss if self._recent is None else self._recent
        self._recent = _REMEMBERED * before + (1 - _REMEMBERED) * loss
        if self._recent > self._worst:
            raise DivergedError(f"the loss has risen to {self._recent:.1f} after {step:,} steps")
