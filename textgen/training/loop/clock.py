"""Time in a training: how much is left, and whether a validation is due."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

_RESERVE_S = 1.0
_RESERVE_SHARE = 0.02
_VALIDATION_SHARE = 0.08
_FEWEST_VALIDATIONS = 6
_COMPILED_STEPS = 2
_FEWEST_STEPS = 5
_SHORTEST_PACE_S = 2.0


@dataclass(slots=True)
class Pace:
    """Estimates the duration of the remaining steps from the duration of those that are done.

    The first steps are compiled and take longer, so they do not count.
    """

    _steps: int = -_COMPILED_STEPS
    _begun: float = 0.0

    def step(self) -> None:
        """Count a step that is done."""
        self._steps += 1
        if self._steps == 0:
            self._begun = time.monotonic()

    def left_s(self, steps: int) -> float | None:
        """Return the estimated seconds for more steps, or None while too few steps are done."""
        seconds = time.monotonic() - self._begun
        if self._steps < _FEWEST_STEPS or seconds < _SHORTEST_PACE_S:
            return None
        return steps * seconds / self._steps


@dataclass(slots=True)
class Clock:
    """Measures a training against its time limit.

    Attributes:
        limit_s: seconds from ``started`` to the saved bundle, or None.
        started: `time.monotonic` when the process began.
        before_s: seconds trained in the earlier runs that this run resumes.
        final_validation: duration of the last validations, as a multiple of one during the training.
    """

    limit_s: float | None
    started: float
    before_s: float = 0.0
    final_validation: float = 1.0
    _validated: float = field(default_factory=time.monotonic)
    _validation_s: float = 0.5

    @property
    def elapsed_s(self) -> float:
        """Seconds since the training began, earlier runs included."""
        return self.before_s + time.monotonic() - self.started

    def fraction(self, begun_s: float = 0.0) -> float:
        """Return the share of the usable time that has passed, 0 to 1; 0 without a limit.

        Args:
            begun_s: a former value of `elapsed_s`, from which both count.
        """
        return min(1.0, max(0.0, self.elapsed_s - begun_s) / max(self._usable_s - begun_s, 0.1))

    @property
    def left_s(self) -> float | None:
        """Seconds until the limit ends the steps, or None without one."""
        return None if self.limit_s is None else max(0.0, self._usable_s - self.elapsed_s)

    @property
    def _usable_s(self) -> float:
        if self.limit_s is None:
            return math.inf
        # After the last step come the last validations and the writing of the bundle.
        last = self._validation_s * self.final_validation
        return max(self.limit_s - last - _RESERVE_S - _RESERVE_SHARE * self.limit_s, 0.1)

    def validation_due(self) -> bool:
        """Return whether validations have used less than their share of the time, or the last is long ago."""
        # The first validation takes longer, because it is compiled.
        longest = (self.limit_s or math.inf) / _FEWEST_VALIDATIONS
        interval = min(max(2.0, self._validation_s / _VALIDATION_SHARE), longest)
        return time.monotonic() - self._validated >= interval

    def validation_took(self, seconds: float) -> None:
        """Remember the duration of a validation that has just ended."""
        self._validation_s = seconds
        self._validated = time.monotonic()
