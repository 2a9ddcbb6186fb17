"""The time of day, of which a jump is believed only once it has lasted.

A board without a clock, a bad answer of NTP or a restored virtual machine is wrong for moments. What a look
at such a moment would do (move schedules on, purge data) cannot be undone. A suspended host is no jump: the
time since its start goes on.
"""

import datetime
import time
from collections.abc import Callable

import structlog

from models.tables import utc_now

log = structlog.stdlib.get_logger(__name__)

# What NTP corrects at once.
TOLERANCE = datetime.timedelta(minutes=1)
BELIEVED_AFTER_S = 300.0


def since_start_s() -> float:
    """Seconds since the host started, those that it was suspended included where it says so."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class SteadyClock:
    """Call it for the present moment, from any thread.

    Args:
        wall: the host's time of day.
        elapsed: seconds that only grow, one a second.
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
        """The moment that goes on from the last one believed."""
        wall, elapsed = self._wall(), self._elapsed()
        moment, since = self._believed
        expected = moment + datetime.timedelta(seconds=elapsed - since)
        jump = wall - expected
        if abs(jump) <= TOLERANCE:
            self._doubt = None
        else:
            doubt = self._doubt
            if doubt is None or abs(doubt[0] - jump) > TOLERANCE:
                self._doubt = jump, elapsed
                log.warning("the host's clock jumped: not believed for now", seconds=jump.total_seconds())
                return expected
            if elapsed - doubt[1] < BELIEVED_AFTER_S:
                return expected
            log.warning("the host's clock is believed again", seconds=jump.total_seconds())
            self._doubt = None
        self._believed = wall, elapsed
        return wall
