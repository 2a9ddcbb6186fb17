"""Time in a training: how much is left, and what is due."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

_RESERVE_S = 1.0
_RESERVE_SHARE = 0.02
_VALIDATION_SHARE = 0.08
_FEWEST_VALIDATIONS = 6


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
        # What comes after the last step: validating, and writing the bundle.
        last = self._validation_s * self.final_validation
        usable = self.limit_s - last - _RESERVE_S - _RESERVE_SHARE * self.limit_s
        return min(1.0, self.elapsed_s / max(usable, 0.1))

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
