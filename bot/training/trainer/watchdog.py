"""Detects a trainer that hangs, by its time limit and by its silence. Knows nothing of the queue."""

import time
from collections.abc import Callable

from bot.infra.children.process import processor_s

# Extra time after the time limit, for the last validation and for writing the model on a busy host.
GRACE_S = 60.0
# Counting, compiling and validating may take longer than this without an event, but they use the processor.
SILENT_S = 45.0
BUSY_S = 0.5


class Watchdog:
    """Watches one process.

    Args:
        pid: process id of the trainer.
        time_limit_s: seconds after which the trainer ends by itself.
        clock: returns seconds of a monotonic clock.
        used: returns the processor time that a process has used, in seconds, or None.
    """

    def __init__(
        self,
        pid: int,
        time_limit_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[int], float | None] = processor_s,
    ) -> None:
        self._pid, self._clock, self._used = pid, clock, used
        self._deadline = clock() + time_limit_s + GRACE_S
        self._alive_at = clock()
        self._used_then = used(pid)

    def heard(self) -> None:
        """Record that the trainer wrote an event."""
        self._alive_at, self._used_then = self._clock(), self._used(self._pid)

    def complaint(self) -> str | None:
        """Return one line for people about a trainer that hangs; None if it does not."""
        now = self._clock()
        if now > self._deadline:
            return "it did not end within its time and was stopped; a smaller size or a shorter text may help"
        if now - self._alive_at < SILENT_S:
            return None
        used = self._used(self._pid)
        if used is None or self._used_then is None:
            return None
        if used - self._used_then < BUSY_S:
            return f"it stood still for {SILENT_S:g} seconds and was stopped; please try again"
        self.heard()
        return None
