"""Time in a training: how much is left, and what is due."""

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
    """How long the steps that are left take, by those that were taken.

    The first ones are compiled and tell nothing of the others.
    """

    _steps: int = -_COMPILED_STEPS
    _begun: float = 0.0

    def step(self) -> None:
        """Note that a step is done."""
        self._steps += 1
        if self._steps == 0:
            self._begun = time.monotonic()

    def left_s(self, steps: int) -> float | None:
        """Return the seconds that so many more steps take, or None while there is too little to go by."""
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
        before_s: seconds trained in earlier runs that this one resumes.
        final_validation: how long the last validations take, in those of the training.
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

    @property
    def fraction(self) -> float:
        """Share of the usable time that is over; 0 without a limit."""
        if self.limit_s is None:
            return 0.0
        return min(1.0, self.elapsed_s / self._usable_s)

    @property
    def left_s(self) -> float | None:
        """Seconds until the limit ends the steps, or None without one."""
        return None if self.limit_s is None else max(0.0, self._usable_s - self.elapsed_s)

    @property
    def _usable_s(self) -> float:
        if self.limit_s is None:
            return math.inf
        # What comes after the last step: validating, and writing the bundle.
        last = self._validation_s * self.final_validation
        return max(self.limit_s - last - _RESERVE_S - _RESERVE_SHARE * self.limit_s, 0.1)

    def validation_due(self) -> bool:
        """Whether a validation would keep to its share of the time, or has not been for long."""
        # The first one takes longer, for it is compiled.
        longest = (self.limit_s or math.inf) / _FEWEST_VALIDATIONS
        interval = min(max(2.0, self._validation_s / _VALIDATION_SHARE), longest)
        return time.monotonic() - self._validated >= interval

    def validation_took(self, seconds: float) -> None:
        """Note how long a validation took."""
        self._validation_s = seconds
        self._validated = time.monotonic()
