"""Who is served by the quick processes and who apart, with nothing to sample."""

import asyncio
from pathlib import Path

import pytest

from bot.generation.fair_queue import FairTurns
from bot.generation.process_choice import LIGHT_JSON_BYTES, Lane, Usage, Weights


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def bundle(folder: Path, **sizes: int) -> Path:
    folder.mkdir()
    for name, size in sizes.items():
        with (folder / name.replace("_", ".")).open("wb") as file:
            file.truncate(size)
    return folder


def test_a_large_bundle_is_heavy_until_it_proves_quick(tmp_path: Path):
    weights = Weights()
    large = bundle(tmp_path / "large", weights_safetensors=200 << 20)
    assert weights.is_heavy(large)
    weights.took(large, load_s=3, step_s=0.001)
    assert weights.is_heavy(large)
    weights.took(large, load_s=0.2, step_s=0.001)
    assert not weights.is_heavy(large)
    weights.took(large, load_s=0.2, step_s=0.3)
    assert weights.is_heavy(large)


def test_a_small_bundle_is_not_heavy_but_one_with_a_long_description_is(tmp_path: Path):
    weights = Weights()
    assert not weights.is_heavy(bundle(tmp_path / "small", weights_safetensors=1 << 20, manifest_json=2000))
    assert weights.is_heavy(bundle(tmp_path / "bomb", manifest_json=LIGHT_JSON_BYTES + 1))
    assert not weights.is_heavy(tmp_path / "absent"), "it is refused at once"


def test_a_server_that_asks_for_more_than_another_is_greedy(clock: Clock):
    usage = Usage(clock)
    usage.changes(1, 8)
    clock.now = 5
    assert not usage.is_greedy(1), "there is nobody else"
    usage.asks(2)
    assert usage.is_greedy(1)
    assert not usage.is_greedy(2)
    usage.changes(1, -8)
    clock.now = 40
    usage.asks(2)
    assert not usage.is_greedy(1), "that was long ago"


def test_servers_that_ask_now_and_then_are_not_greedy(clock: Clock):
    usage = Usage(clock)
    for _ in range(20):
        for server in (1, 2):
            usage.asks(server)
            usage.changes(server, 1)
            clock.now += 0.1
            usage.changes(server, -1)
            clock.now += 1
            assert not usage.is_greedy(server)


async def test_heavy_texts_wait_only_for_other_heavy_texts():
    turns = FairTurns(servers=1, for_one=1, apart=1)
    lanes: list[tuple[int, Lane]] = []

    async def take(server: int, *, heavy: bool) -> None:
        async with turns.turn(server, heavy=heavy) as lane:
            lanes.append((server, lane))
            await asyncio.sleep(60)

    requests = [(1, True), (2, True), (3, False), (4, False)]
    tasks = [asyncio.create_task(take(server, heavy=heavy)) for server, heavy in requests]
    await asyncio.sleep(0.01)
    assert lanes == [(1, Lane.APART), (3, Lane.QUICK)]
    tasks[0].cancel()
    await asyncio.sleep(0.01)
    assert lanes[2:] == [(2, Lane.APART)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with turns.turn(1, heavy=True), turns.turn(2):
        pass


async def test_a_flood_moves_to_the_slow_lane_when_another_server_comes(clock: Clock):
    turns = FairTurns(servers=1, for_one=2, apart=1, usage=Usage(clock))
    lanes: list[tuple[int, Lane]] = []
    over = asyncio.Event()

    async def take(server: int) -> None:
        async with turns.turn(server) as lane:
            lanes.append((server, lane))
            await over.wait()

    tasks = [asyncio.create_task(take(1)) for _ in range(4)]
    await asyncio.sleep(0.01)
    clock.now = 5
    tasks.append(asyncio.create_task(take(2)))
    await asyncio.sleep(0.01)
    over.set()
    await asyncio.gather(*tasks)
    assert lanes[:2] == [(1, Lane.QUICK)] * 2
    assert sorted(lanes[2:], key=lambda pair: pair[0]) == [(1, Lane.APART)] * 2 + [(2, Lane.QUICK)]
