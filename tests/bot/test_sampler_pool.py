"""The pool with real sampler processes, in trouble."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from bot.errors import SampleRefused, SamplerUnavailable
from bot.sampling.pool import SampleRequest, SamplerPool


@pytest.fixture
async def pool() -> AsyncIterator[SamplerPool]:
    pool = SamplerPool(2, timeout_s=5)
    pool.start()
    yield pool
    await asyncio.to_thread(pool.close)


def wish(bundle: Path, length: int = 50) -> SampleRequest:
    return SampleRequest(bundle, "to be", length, 0.7, 3)


async def test_many_at_once_are_all_answered_alike(pool: SamplerPool, trained_bundle: Path):
    answers = await asyncio.gather(*(pool.sample(wish(trained_bundle)) for _ in range(60)))
    assert len({answer.text for answer in answers}) == 1


async def test_requests_lost_with_a_killed_process_are_answered_by_another(
    pool: SamplerPool, trained_bundle: Path
):
    alone = (await pool.sample(wish(trained_bundle, 2000))).text
    waiting = [asyncio.create_task(pool.sample(wish(trained_bundle, 2000))) for _ in range(10)]
    await asyncio.sleep(0.05)
    os.kill(pool.pids[0], signal.SIGKILL)
    assert {answer.text for answer in await asyncio.gather(*waiting)} == {alone}


async def test_a_process_that_hangs_is_given_up_and_replaced(
    trained_bundle: Path, request: pytest.FixtureRequest
):
    pool = SamplerPool(1, timeout_s=1)
    pool.start()
    request.addfinalizer(pool.close)
    (hanging,) = pool.pids
    os.kill(hanging, signal.SIGSTOP)
    waiting = [asyncio.create_task(pool.sample(wish(trained_bundle))) for _ in range(200)]
    with pytest.raises(SamplerUnavailable, match="did not answer within 1 s"):
        await waiting[0]
    await asyncio.gather(*waiting, return_exceptions=True)
    assert (await pool.sample(wish(trained_bundle))).text
    assert hanging not in pool.pids


async def test_a_bundle_that_is_none_is_refused_and_costs_nothing_else(pool: SamplerPool, tmp_path: Path):
    before = pool.pids
    with pytest.raises(SampleRefused):
        await pool.sample(wish(tmp_path))
    assert pool.pids == before


async def test_closing_ends_every_process(trained_bundle: Path):
    pool = SamplerPool(2, timeout_s=5)
    pool.start()
    processes = [psutil.Process(pid) for pid in pool.pids]
    assert len(processes) == 2
    await asyncio.to_thread(pool.close)
    assert not any(process.is_running() for process in processes)
    with pytest.raises(SamplerUnavailable, match="shutting down"):
        await pool.sample(wish(trained_bundle))
