"""How many requests are written at once, how many may wait, and the end of all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textgen.serving.http.errors import ApiError, ending
from textgen.serving.http.options import Limits

_RETRY_S = 1
_LATE_S = 5.0
_SHORTEST_S = 0.01


class Admission:
    """Lets requests in, within limits.

    Attributes:
        running: number of requests that are being written.
        waiting: number of requests that wait for their turn.
        closing: whether no further request is let in.
    """

    def __init__(self, limits: Limits) -> None:
        """Start without a request."""
        self._limits = limits
        self._places = asyncio.Semaphore(limits.at_once)
        self._cuts: set[asyncio.Timeout] = set()
        self.running = self.waiting = 0
        self.closing = False
        self._idle = asyncio.Event()
        self._idle.set()

    def check(self) -> None:
        """Refuse a request that would find no place.

        Raises:
            ApiError: too many wait already, or the service is ending.
        """
        if self.closing:
            raise ending()
        if self.waiting >= self._limits.waiting:
            raise ApiError(
                429, f"{self.waiting} requests wait already; try again later",
                code="rate_limit_exceeded", retry_after_s=_RETRY_S,
            )  # fmt: skip

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Wait for a place, and keep it for the block; give the seconds that are left for the texts.

        The texts end in time by themselves. A block that goes on a few seconds longer is cut off.

        Raises:
            ApiError: there is no place, the time is over, or the service ends.
        """
        self.check()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.deadline_s
        cut = asyncio.timeout_at(deadline + _LATE_S)
        try:
            async with cut:
                self._cuts.add(cut)
                self._idle.clear()
                self.waiting += 1
                try:
                    await self._places.acquire()
                finally:
                    self.waiting -= 1
                self.running += 1
                try:
                    left_s = deadline - loop.time()
                    if left_s < _SHORTEST_S:
                        raise ApiError(503, "no turn came in time; try again later", retry_after_s=_RETRY_S)
                    yield left_s
                finally:
                    self.running -= 1
                    self._places.release()
        except TimeoutError:
            if self.closing:
                raise ending() from None
            raise ApiError(504, f"there was no answer within {self._limits.deadline_s:g} s") from None
        finally:
            self._cuts.discard(cut)
            if not self._cuts:
                self._idle.set()

    async def close(self, at_once: asyncio.Event) -> None:
        """Let no request in any more, and give those that are there some seconds to come to their end.

        Args:
            at_once: is set when nobody wants to wait any longer.
        """
        self.closing = True
        ends = [asyncio.create_task(event.wait()) for event in (self._idle, at_once)]
        await asyncio.wait(ends, timeout=self._limits.grace_s, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        for cut in self._cuts:
            cut.reschedule(asyncio.get_running_loop().time())
        await self._idle.wait()
