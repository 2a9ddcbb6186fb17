"""A clock that accepts a jump of the host's time only after the jump has lasted.

On a board without a clock, after a wrong answer of NTP or on a restored virtual machine, the time may be
wrong for moments. What the bot does at a wrong time (move schedules on, purge data) cannot be undone.
Suspending the host is no jump, because the time since its start includes it.
"""

import datetime
import time
from collections.abc import Callable

import structlog

from models.tables import utc_now

log = structlog.stdlib.get_logger(__name__)

# NTP corrects smaller differences at once.
TOLERANCE = datetime.timedelta(minutes=1)
BELIEVED_AFTER_S = 300.0


def since_start_s() -> float:
    """Return the seconds since the host started, including suspended time if the system counts it."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class SteadyClock:
    """Call it for the present moment, from any thread.

    Args:
        wall: returns the host's time (aware).
        elapsed: returns seconds of a clock that never jumps.
    """

    def __init__(
        self,
        wall: Callable[[], datetime.datetime] = utc_now,
        elapsed: Callable[[], float] = since_start_s,
    ) -> None:
        self._wall, self._elapsed = wall, elapsed
        self._believed = wall(), elapsed()
        self._doubt: tuple[datetime.timedelta, float] | None = None

    def __call__(self) -> datetime.datetime:
        """Return the present moment (aware), without jumps that have not lasted yet."""
        wall, elapsed = self._wall(), self._elapsed()
        moment, since = self._believed
        expected = moment + datetime.timedelta(seconds=elapsed - since)
        jump = wall - expected
        if abs(jump) > TOLERANCE:
            if self._doubt is None or abs(self._doubt[0] - jump) > TOLERANCE:
                self._doubt = jump, elapsed
                log.warning("the host's clock jumped: not believed for now", seconds=jump.total_seconds())
            if elapsed - self._doubt[1] < BELIEVED_AFTER_S:
                return expected
            log.warning("the host's clock is believed again", seconds=jump.total_seconds())
        self._doubt = None
        self._believed = wall, elapsed
        return wall
