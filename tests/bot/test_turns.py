"""Fair turns, with nothing to sample: who is served when."""

import asyncio

import pytest

from bot.sampling.turns import FairTurns, LineFull


class Served:
    """Servers in the order in which their turns came; a turn lasts until it is ended."""

    def __init__(self, turns: FairTurns) -> None:
        self.turns = turns
        self.order: list[int] = []
        self.running: list[asyncio.Event] = []

    def ask(self, server: int, texts: int = 1) -> "asyncio.Task[None]":
        async def take() -> None:
            async with self.turns.turn(server, texts):
                self.order.append(server)
                over = asyncio.Event()
                self.running.append(over)
                await over.wait()

        return asyncio.create_task(take())

    async def end(self, turns: int = 1) -> None:
        for _ in range(turns):
            self.running.pop(0).set()
            await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def served() -> Served:
    return Served(FairTurns(at_once=2, for_one=2, line=5))


async def test_servers_take_turns_whoever_came_first(served: Served):
    for server in (1, 1, 1, 1, 1, 2, 3, 2):
        served.ask(server)
        await settle()
    await served.end(8)
    assert served.order == [1, 1, 1, 2, 3, 1, 2, 1]


async def test_a_line_takes_so_many_and_no_more(served: Served):
    tasks = [served.ask(1) for _ in range(9)]
    await settle()
    assert [task.done() for task in tasks] == [False] * 7 + [True] * 2
    assert isinstance(tasks[-1].exception(), LineFull)
    served.ask(2)
    await served.end(8)
    assert served.order.count(1) == 7
    assert served.order.index(2) < 5


async def test_one_server_cannot_have_all_of_it():
    served = Served(FairTurns(at_once=4, for_one=2, line=9))
    for server in (1, 1, 1, 1, 2):
        served.ask(server)
    await settle()
    assert served.order == [1, 1, 2]


async def test_several_texts_weigh_as_much_as_they_are_and_are_never_too_many(served: Served):
    for server, texts in ((1, 5), (2, 1), (3, 2), (2, 1)):
        served.ask(server, texts)
    await settle()
    assert served.order == [1]
    await served.end(4)
    assert served.order == [1, 2, 2, 3] or served.order == [1, 2, 3, 2]


async def test_whoever_leaves_takes_nobodys_turn(served: Served):
    tasks = [served.ask(1) for _ in range(4)]
    other = served.ask(2)
    await settle()
    tasks[2].cancel()
    tasks[0].cancel()  # its turn ends in the same moment
    await settle()
    served.running.pop(0)
    assert served.order in ([1, 1, 2], [1, 1, 1])
    await served.end(3)
    assert sorted(served.order) == [1, 1, 1, 2]
    await asyncio.gather(*tasks, other, return_exceptions=True)
    served.ask(3)
    await settle()
    assert served.order[-1] == 3
