"""Tells a trainer that hangs from one that is busy: by its time limit, and by its silence. Knows no queue."""

import time
from collections.abc import Callable

from bot.infra.children.process import processor_s

# Beyond its time limit: for the last validation and for writing the model on a busy host.
GRACE_S = 60.0
# Counting, compiling and validating take longer than this without a word, but not without the processor.
SILENT_S = 45.0
BUSY_S = 0.5


class Watchdog:
    """Watches one process.

    Args:
        pid: of the trainer.
        time_limit_s: after which it ends by itself.
        clock: seconds that go on.
        used: returns the processor time that it has used until now, or None.
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
        """It said something."""
        self._alive_at, self._used_then = self._clock(), self._used(self._pid)

    def complaint(self) -> str | None:
        """What to tell people of a trainer that hangs; None while it does not."""
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
