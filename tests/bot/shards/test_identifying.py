"""Shards identify themselves as often as Discord takes it, in one process and in several."""

import asyncio
import time
from pathlib import Path

import pytest

from bot.infra.discord import identifying
from bot.infra.discord.identifying import IdentifyGate
from tests.bot.shards.test_shard_claims import postgresql
from tests.support.postgresql import postgresql_server

__all__ = ["postgresql", "postgresql_server"]

APART_S = 0.3
BOT = 42


async def two_at_a_time() -> int:
    return 2


async def times(*waits: tuple[IdentifyGate, int]) -> list[float]:
    """Return when each shard may go, in seconds after the first."""

    async def go(gate: IdentifyGate, shard_id: int) -> float:
        await gate.wait(BOT, shard_id)
        return time.monotonic()

    went = await asyncio.gather(*(go(*wait) for wait in waits))
    return [moment - min(went) for moment in went]


async def test_one_process_waits_for_the_bucket_of_each_shard(tmp_path: Path):
    gate = IdentifyGate(f"sqlite:///{tmp_path}/a.sqlite", two_at_a_time, apart_s=APART_S)
    zero, one, two, four = await times((gate, 0), (gate, 1), (gate, 2), (gate, 4))
    assert min(zero, two, four) < APART_S / 2
    assert one < APART_S / 2, "another bucket does not wait"
    first, second, third = sorted((zero, two, four))
    assert second - first >= APART_S * 0.99
    assert third - second >= APART_S * 0.99


async def test_two_processes_do_not_identify_themselves_at_the_same_moment(
    postgresql: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(identifying, "ASK_EVERY_S", 0.02)
    gates = [IdentifyGate(postgresql, two_at_a_time, apart_s=APART_S) for _ in range(2)]
    went = sorted(await times((gates[0], 0), (gates[1], 2), (gates[0], 4)))
    assert went[1] >= APART_S * 0.9
    assert went[2] - went[1] >= APART_S * 0.9


async def test_a_database_that_is_away_keeps_nobody_from_discord(tmp_path: Path):
    away = f"postgresql+psycopg://pastiche@/pastiche?host={tmp_path}"
    gate = IdentifyGate(away, two_at_a_time, apart_s=APART_S)
    assert await times((gate, 0)) == [0.0]
