"""Fair turns in front of the samplers: servers are served one after another, however much each asks for.

So much is written at a time for one server, and for so many servers; the rest waits, in a line for each
server, and the lines take turns. Who is called comes with those behind them, up to a server's share: texts of
one model are written together at little more than the cost of one. A line is of bounded length. Everything
happens on one event loop.
"""

import asyncio
import contextlib
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass


class LineFull(Exception):
    """So many of this server wait already that no more are taken."""


@dataclass(frozen=True)
class Waiting:
    """Who waits, and how much is to be written for them."""

    turn: asyncio.Future[None]
    texts: int


@dataclass
class _Turn:
    """A server's turn.

    Attributes:
        at_work: texts that are being written.
        had: texts that have been since the turn began.
    """

    at_work: int = 0
    had: int = 0


class FairTurns:
    """Hands out turns.

    Args:
        servers: for which texts are written at a time.
        for_one: texts of one of them.
        line: requests of one server that may wait.
    """

    def __init__(self, *, servers: int, for_one: int, line: int) -> None:
        self._servers = servers
        self._for_one = for_one
        self._line = line
        self._turns: dict[int, _Turn] = {}
        self._lines: OrderedDict[int, deque[Waiting]] = OrderedDict()

    @contextlib.asynccontextmanager
    async def turn(self, server: int, texts: int = 1) -> AsyncIterator[None]:
        """Wait for a turn to have so many texts written, and give it back at the end.

        Raises:
            LineFull: too many of this server wait already.
        """
        if server not in self._lines and self._fits(server, texts):
            self._begin(server, texts)
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

    def _call(self) -> None:
        """Call those whose turn it is, line after line, each with as many as a server may have."""
        for server in list(self._lines):
            line, called = self._lines[server], False
            while line and (line[0].turn.done() or self._fits(server, line[0].texts)):
                waiting = line.popleft()
                if not waiting.turn.done():  # it would be, had it left
                    self._begin(server, waiting.texts)
                    waiting.turn.set_result(None)
                    called = True
            if not line:
                del self._lines[server]
            elif called:
                self._lines.move_to_end(server)

    def _fits(self, server: int, texts: int) -> bool:
        turn = self._turns.get(server)
        if turn is None:
            # Whoever has none at work is let through, however many they are.
            return len(self._turns) < self._servers
        if turn.at_work + texts > self._for_one:
            return False
        # While another server waits, a turn ends once it had its share.
        return turn.had + texts <= self._for_one or self._lines.keys() <= self._turns.keys()

    def _begin(self, server: int, texts: int) -> None:
        turn = self._turns.setdefault(server, _Turn())
        turn.at_work += texts
        turn.had += texts

    def _end(self, server: int, texts: int) -> None:
        turn = self._turns[server]
        turn.at_work -= texts
        if not turn.at_work:
            del self._turns[server]
            if server in self._lines:
                self._lines.move_to_end(server)


class Admission:
    """Counts what each server has asked for and not got yet, so that more than enough is refused at once.

    Args:
        most: requests of one server at a time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[int] = Counter()

    @contextlib.contextmanager
    def admitted(self, server: int) -> Iterator[None]:
        """Count a request until it is answered.

        Raises:
            LineFull: the server has asked for enough.
        """
        if self._open[server] >= self._most:
            raise LineFull
        self._open[server] += 1
        try:
            yield
        finally:
            self._open[server] -= 1
            if not self._open[server]:
                del self._open[server]
