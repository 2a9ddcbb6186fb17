"""A fair queue in front of the samplers: servers take turns, however much each of them asks for.

A lane writes for a few servers at a time, and a few texts for each; everything else waits in one line per
server. When a turn is free, the next line gets it with as many requests as one server may have: texts of one
model that are written together cost little more than one. Everything happens on one event loop.
"""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from bot.generation.process_choice import Lane, Usage


@dataclass(frozen=True)
class Waiting:
    """A request in a line.

    Attributes:
        turn: settles with the lane when the request's turn comes.
        texts: number of texts to write.
        heavy: the texts belong into the slow lane.
    """

    turn: asyncio.Future[Lane]
    texts: int
    heavy: bool


@dataclass
class _Turn:
    """A server's turn in a lane.

    Attributes:
        at_work: texts being written.
        had: texts begun since the turn started.
    """

    at_work: int = 0
    had: int = 0


class FairTurns:
    """Hands out turns, in lanes that do not wait for each other.

    Args:
        servers: servers that the quick lane writes for at a time.
        for_one: texts that a lane writes at a time for one server.
        apart: servers that the slow lane writes for at a time.
        usage: says which servers belong into the slow lane; None: none does.
    """

    def __init__(self, *, servers: int, for_one: int, apart: int = 1, usage: Usage | None = None) -> None:
        self._most = {Lane.QUICK: servers, Lane.APART: apart}
        self._for_one = for_one
        self._usage = usage
        self._turns: dict[Lane, dict[int, _Turn]] = {lane: {} for lane in Lane}
        self._lines: OrderedDict[int, deque[Waiting]] = OrderedDict()

    @contextlib.asynccontextmanager
    async def turn(self, server: int, texts: int = 1, *, heavy: bool = False) -> AsyncIterator[Lane]:
        """Wait for a turn; it ends with the block.

        Args:
            server: id of the server.
            texts: number of texts to write.
            heavy: the texts belong into the slow lane.

        Yields:
            The lane in which to write them.
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
        waiting = Waiting(asyncio.get_running_loop().create_future(), texts, heavy)
        self._lines.setdefault(server, deque()).append(waiting)
        try:
            return await waiting.turn
        except asyncio.CancelledError:
            if not waiting.turn.cancelled():  # its turn came in the moment in which it was cancelled
                self._end(waiting.turn.result(), server, texts, heavy=heavy)
            self._call()
            raise

    def _call(self) -> None:
        """Give free turns to the lines, one after another, each with as many texts as a server may have."""
        for server in list(self._lines):
            line, called = self._lines[server], False
            while line:
                lane = self._lane(server, heavy=line[0].heavy)
                if not (line[0].turn.done() or self._fits(lane, server, line[0].texts)):
                    break
                waiting = line.popleft()
                if not waiting.turn.done():  # a cancelled request is only dropped
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
            # A server with nothing at work is admitted at once, however many texts it asks for.
            return len(turns) < self._most[lane]
        if turn.at_work + texts > self._for_one:
            return False
        # While another server waits, a turn ends once it had its share.
        return turn.had + texts <= self._for_one or self._lines.keys() <= turns.keys()

    def _begin(self, lane: Lane, server: int, texts: int, *, heavy: bool) -> None:
        turn = self._turns[lane].setdefault(server, _Turn())
        turn.at_work += texts
        turn.had += texts
        # Heavy texts are in the slow lane anyway, so they do not count as usage.
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
