"""A token bucket: how many requests may go now, so that their rate over time stays below a bound."""

import time
from collections.abc import Callable


class TokenBucket:
    """Fills with time; each request takes a token.

    Args:
        a_second: tokens that come in a second.
        most: tokens that it holds, which is also the largest burst.
        clock: returns seconds that never go back.
    """

    def __init__(self, a_second: float, most: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_second = a_second
        self._most = most
        self._clock = clock
        self._tokens = most
        self._at = clock()

    def take(self) -> bool:
        """Take a token if there is one."""
        if self._filled() < 1:
            return False
        self._tokens -= 1
        return True

    def owe(self) -> None:
        """Take a token for a request that cannot wait, also if there is none: later ones then wait longer."""
        self._tokens = self._filled() - 1

    def _filled(self) -> float:
        now = self._clock()
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._a_second)
        self._at = now
        return self._tokens
