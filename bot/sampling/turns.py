"""Fair turns in front of the samplers: servers are served one after another, however much each asks for.

So much is written at a time in all, and so much of it for one server; the rest waits, in a line for each
server, and the lines take turns. A line is of bounded length. Everything happens on one event loop.
"""

import asyncio
import contextlib
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass


class LineFull(Exception):
    """So many of this server wait already that no more are taken."""


@dataclass(frozen=True)
class Waiting:
    """Who waits, and how much is to be written for them."""

    turn: asyncio.Future[None]
    texts: int


class FairTurns:
    """Hands out turns.

    Args:
        at_once: texts that are written together.
        for_one: texts of one server among them, while others could be kept waiting.
        line: requests of one server that may wait.
    """

    def __init__(self, *, at_once: int, for_one: int, line: int) -> None:
        self._at_once = at_once
        self._for_one = for_one
        self._line = line
        self._running: Counter[int] = Counter()
        self._lines: OrderedDict[int, deque[Waiting]] = OrderedDict()

    @contextlib.asynccontextmanager
    async def turn(self, server: int, texts: int = 1) -> AsyncIterator[None]:
        """Wait for a turn to have so many texts written, and give it back at the end.

        Raises:
            LineFull: too many of this server wait already.
        """
        if server not in self._lines and self._fits(server, texts):
            self._running[server] += texts
        else:
            await self._wait(server, texts)
        try:
            yield
        finally:
            self._end(server, texts)
            self._call()

    async def _wait(self, server: int, texts: int) -> None:
        line = self._lines.setdefault(server, deque())
        if len(line) >= self._line:
            raise LineFull
        waiting = Waiting(asyncio.get_running_loop().create_future(), texts)
        line.append(waiting)
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if not waiting.turn.cancelled():  # called in the same moment in which it left
                self._end(server, texts)
            self._call()
            raise

    def _end(self, server: int, texts: int) -> None:
        self._running[server] -= texts
        if not self._running[server]:
            del self._running[server]

    def _call(self) -> None:
        """Call those whose turn it is: the first of each line, line after line."""
        called = True
        while called:
            called = False
            for server, line in list(self._lines.items()):
                while line and line[0].turn.done():  # left while it waited
                    line.popleft()
                if not line:
                    del self._lines[server]
                    continue
                if not self._fits(server, line[0].texts):
                    continue
                waiting = line.popleft()
                if line:
                    self._lines.move_to_end(server)
                else:
                    del self._lines[server]
                self._running[server] += waiting.texts
                waiting.turn.set_result(None)
                called = True

    def _fits(self, server: int, texts: int) -> bool:
        # Whoever runs alone is let through, however much it is.
        alone = not self._running[server]
        return (alone or self._running[server] + texts <= self._for_one) and (
            not self._running.total() or self._running.total() + texts <= self._at_once
        )
