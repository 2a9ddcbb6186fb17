"""Noticing that a training has gone astray."""

from __future__ import annotations

import math

_REMEMBERED = 0.9
_WORSE_THAN_GUESSING = 1.0


class DivergedError(Exception):
    """The loss is no longer a number, or worse than guessing would have it."""


class LossWatch:
    """Follows the loss, smoothed, so that one odd batch is no alarm."""

    def __init__(self, vocabulary: int) -> None:
        """Take as the worst that is let pass a little more than the loss of guessing."""
        self._worst = math.log(vocabulary) + _WORSE_THAN_GUESSING
        self._recent: float | None = None

    def see(self, loss: float, step: int) -> None:
        """Take the loss of a step.

        Raises:
            DivergedError: the training has gone astray.
        """
        if not math.isfinite(loss):
            raise DivergedError(f"the loss is {loss} after {step:,} steps")
        before = loss if self._recent is None else self._recent
        self._recent = _REMEMBERED * before + (1 - _REMEMBERED) * loss
        if self._recent > self._worst:
            raise DivergedError(f"the loss has risen to {self._recent:.1f} after {step:,} steps")
