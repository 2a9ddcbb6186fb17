"""Fair turns, with nothing to sample: who is served when."""

import asyncio

import pytest

from bot.generation.fair_queue import FairTurns
from bot.generation.limits import Admission, ServerBusy


class Served:
    """Servers in the order in which their turns came; a turn lasts until it is ended."""

    def __init__(self, turns: FairTurns, admission: Admission) -> None:
        self.turns, self.admission = turns, admission
        self.order: list[int] = []
        self.running: list[asyncio.Event] = []

    def ask(self, server: int, texts: int = 1) -> "asyncio.Task[None]":
        async def take() -> None:
            with self.admission.admitted(server):
                await self._take_turn(server, texts)

        return asyncio.create_task(take())

    async def _take_turn(self, server: int, texts: int) -> None:
        async with self.turns.turn(server, texts):
            self.order.append(server)
            over = asyncio.Event()
            self.running.append(over)
            await over.wait()

    async def end(self, turns: int = 1) -> None:
        for _ in range(turns):
            self.running.pop(0).set()
            await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def served() -> Served:
    return Served(FairTurns(servers=2, for_one=2), Admission(7))


async def test_servers_take_turns_whoever_came_first(served: Served):
    for server in (1, 1, 1, 1, 1, 2, 3, 4, 3, 2):
        served.ask(server)
        await settle()
    assert served.order == [1, 1, 2, 2]
    await served.end(10)
    assert served.order == [1, 1, 2, 2, 3, 3, 4, 1, 1, 1]


async def test_a_server_has_so_many_open_requests_and_no_more(served: Served):
    tasks = [served.ask(1) for _ in range(9)]
    await settle()
    assert [task.done() for task in tasks] == [False] * 7 + [True] * 2
    assert isinstance(tasks[-1].exception(), ServerBusy)
    served.ask(2)
    await settle()
    assert served.order == [1, 1, 2]  # there is room for another server
    await served.end(8)
    assert served.order.count(1) == 7


async def test_a_flood_waits_while_others_come_and_go(served: Served):
    for server in (1, 2):
        for _ in range(6):
            served.ask(server)
    await settle()
    for server in (3, 4, 5):
        served.ask(server)
    await settle()
    assert served.order == [1, 1, 2, 2]
    await served.end(15)
    assert served.order == [1, 1, 2, 2, 3, 4, 5, 1, 1, 2, 2, 1, 1, 2, 2]


async def test_several_texts_weigh_as_much_as_they_are_and_are_never_too_many(served: Served):
    for server, texts in ((1, 5), (1, 1), (2, 1), (3, 2), (2, 2)):
        served.ask(server, texts)
        await settle()
    assert served.order == [1, 2]
    await served.end()
    assert served.order == [1, 2, 3]
    await served.end(4)
    assert sorted(served.order) == [1, 1, 2, 2, 3]


async def test_a_cancelled_request_takes_no_turn(served: Served):
    tasks = [served.ask(1) for _ in range(4)]
    others = [served.ask(2), served.ask(3)]
    await settle()
    assert served.order == [1, 1, 2]
    tasks[2].cancel()  # it waits
    tasks[0].cancel()  # its turn is over by that
    await settle()
    served.running.pop(0)
    assert served.order == [1, 1, 2]
    await served.end(2)
    assert served.order == [1, 1, 2, 3, 1]
    await served.end(2)
    await asyncio.gather(*tasks, *others, return_exceptions=True)
    served.ask(4)
    await settle()
    assert served.order[-1] == 4


def test_too_many_open_requests_are_refused_at_once():
    admission = Admission(2)
    with admission.admitted(1), admission.admitted(1):
        with pytest.raises(ServerBusy), admission.admitted(1):
            pass
        with admission.admitted(2):
            pass
    with admission.admitted(1), admission.admitted(1):
        pass
