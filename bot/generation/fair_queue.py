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

from bot.generation.speed_lanes import Lane, Usage


class LineFull(Exception):
    """So many of this server wait already that no more are taken."""


@dataclass(frozen=True)
class Waiting:
    """Who waits, how much is to be written for them, and whether apart."""

    turn: asyncio.Future[Lane]
    texts: int
    heavy: bool


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
    """Hands out turns, in lanes that do not wait for each other.

    Args:
        servers: for which texts are written at a time in the quick lane.
        for_one: texts of one of them.
        line: requests of one server that may wait.
        apart: servers for which texts are written at a time in the other lane.
        usage: says who is to be served there.
    """

    def __init__(
        self, *, servers: int, for_one: int, line: int, apart: int = 1, usage: Usage | None = None
    ) -> None:
        self._most = {Lane.QUICK: servers, Lane.APART: apart}
        self._for_one = for_one
        self._line = line
        self._usage = usage
        self._turns: dict[Lane, dict[int, _Turn]] = {lane: {} for lane in Lane}
        self._lines: OrderedDict[int, deque[Waiting]] = OrderedDict()

    @contextlib.asynccontextmanager
    async def turn(self, server: int, texts: int = 1, *, heavy: bool = False) -> AsyncIterator[Lane]:
        """Wait for a turn to have so many texts written, and give it back at the end.

        Args:
            server: whose turn.
            texts: how many.
            heavy: they are to be written apart.

        Returns:
            The lane that they are to be written in.

        Raises:
            LineFull: too many of this server wait already.
        """
        if self._usage is not None and not heavy:
            self._usage.asks(server)
        lane = self._lane(server, heavy=heavy)
        if server not in self._lines and self._fits(lane, server, texts):
            self._begin(lane, server, texts, heavy=heavy)
        else:
            lane = await self._wait(server, texts, heavy=heavy)
        try:
            yield lane
        finally:
            self._end(lane, server, texts, heavy=heavy)
            self._call()

    def _lane(self, server: int, *, heavy: bool) -> Lane:
        greedy = self._usage is not None and self._usage.is_greedy(server)
        return Lane.APART if heavy or greedy else Lane.QUICK

    async def _wait(self, server: int, texts: int, *, heavy: bool) -> Lane:
        line = self._lines.setdefault(server, deque())
        if len(line) >= self._line:
            raise LineFull
        waiting = Waiting(asyncio.get_running_loop().create_future(), texts, heavy)
        line.append(waiting)
        try:
            return await waiting.turn
        except asyncio.CancelledError:
            if not waiting.turn.cancelled():  # called in the same moment in which it left
                self._end(waiting.turn.result(), server, texts, heavy=heavy)
            self._call()
            raise

    def _call(self) -> None:
        """Call those whose turn it is, line after line, each with as many as a server may have."""
        for server in list(self._lines):
            line, called = self._lines[server], False
            while line:
                lane = self._lane(server, heavy=line[0].heavy)
                if not (line[0].turn.done() or self._fits(lane, server, line[0].texts)):
                    break
                waiting = line.popleft()
                if not waiting.turn.done():  # it would be, had it left
                    self._begin(lane, server, waiting.texts, heavy=waiting.heavy)
                    waiting.turn.set_result(lane)
                    called = True
            if not line:
                del self._lines[server]
            elif called:
                self._lines.move_to_end(server)

    def _fits(self, lane: Lane, server: int, texts: int) -> bool:
        turns = self._turns[lane]
        turn = turns.get(server)
        if turn is None:
            # Whoever has none at work is let through, however many they are.
            return len(turns) < self._most[lane]
        if turn.at_work + texts > self._for_one:
            return False
        # While another server waits, a turn ends once it had its share.
        return turn.had + texts <= self._for_one or self._lines.keys() <= turns.keys()

    def _begin(self, lane: Lane, server: int, texts: int, *, heavy: bool) -> None:
        turn = self._turns[lane].setdefault(server, _Turn())
        turn.at_work += texts
        turn.had += texts
        # What is heavy is written apart in any case, and compares with nobody.
        if self._usage is not None and not heavy:
            self._usage.changes(server, texts)

    def _end(self, lane: Lane, server: int, texts: int, *, heavy: bool) -> None:
        turn = self._turns[lane][server]
        turn.at_work -= texts
        if self._usage is not None and not heavy:
            self._usage.changes(server, -texts)
        if not turn.at_work:
            del self._turns[lane][server]
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
