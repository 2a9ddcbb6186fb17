"""The pool with real sampler processes, in trouble."""

import asyncio
import contextlib
import dataclasses
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from bot.errors import SampleRefused, SamplerUnavailable
from bot.generation.limits import Admission
from bot.generation.pool import SamplerPool
from bot.generation.process_choice import Lane
from bot.generation.request import BOUNDS, SamplingOptions
from bot.generation.sampler_protocol import SampledText, SamplerRequest
from tests.support import needs
from tests.support.patience import PATIENCE_S
from tests.support.textgen.bundles import write_random_bundle


@pytest.fixture(autouse=True)
def samplers_are_forked() -> None:
    """They are not: here the bot starts them."""


@pytest.fixture
async def pool() -> AsyncIterator[SamplerPool]:
    pool = SamplerPool(2, timeout_s=PATIENCE_S)
    pool.start()
    yield pool
    await asyncio.to_thread(pool.close)


def request_for(bundle: Path, length: int = 50, server: int = 0, **options: float) -> SamplerRequest:
    options = {"length": length, "temperature": 0.7, "random_seed": 3} | options
    return SamplerRequest(bundle, "to be", SamplingOptions(**options), guild_id=server)


async def test_many_at_once_are_all_answered_alike(pool: SamplerPool, trained_bundle: Path):
    answers = await asyncio.gather(
        *(pool.samples(request_for(trained_bundle, server=number % 5)) for number in range(60))
    )
    assert len({answer.text for (answer,) in answers}) == 1


@pytest.mark.slow
async def test_requests_lost_with_a_killed_process_are_answered_by_another(
    pool: SamplerPool, trained_bundle: Path
):
    alone = (await pool.samples(request_for(trained_bundle, 2000)))[0].text
    waiting = [asyncio.create_task(pool.samples(request_for(trained_bundle, 2000))) for _ in range(10)]
    await asyncio.sleep(0.05)
    os.kill(pool.processes.pids[0], signal.SIGKILL)
    assert {answer.text for (answer,) in await asyncio.gather(*waiting)} == {alone}


async def test_a_process_that_hangs_is_given_up_and_replaced(
    trained_bundle: Path, request: pytest.FixtureRequest
):
    pool = SamplerPool(1, timeout_s=1)
    pool.start()
    request.addfinalizer(pool.close)
    (hanging,) = pool.processes.pids
    os.kill(hanging, signal.SIGSTOP)
    waiting = [
        asyncio.create_task(pool.samples(request_for(trained_bundle, server=number))) for number in range(200)
    ]
    with pytest.raises(SamplerUnavailable, match="did not answer within 1 s"):
        await waiting[0]
    await asyncio.gather(*waiting, return_exceptions=True)
    assert (await first_answer(pool, trained_bundle)).text
    assert hanging not in pool.processes.pids


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A bundle that needs no training."""
    write_random_bundle(tmp_path / "small", "gru")
    return tmp_path / "small"


@needs.process_states
async def test_open_requests_of_a_process_that_hangs_are_answered_by_another(
    small: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    monkeypatch.setattr("bot.generation.sampler.HUNG_S", 1.0)
    pool = SamplerPool(1, timeout_s=PATIENCE_S)
    pool.start()
    request.addfinalizer(pool.close)
    await pool.samples(request_for(small))
    (hanging,) = pool.processes.pids
    os.kill(hanging, signal.SIGSTOP)
    answers = await asyncio.gather(*(pool.samples(request_for(small)) for _ in range(5)))
    assert len({answer.text for (answer,) in answers}) == 1
    assert hanging not in pool.processes.pids
    assert not psutil.pid_exists(hanging)


async def test_models_of_a_base_hold_up_nobody_elses_texts(pool: SamplerPool, small: Path):
    def of_a_base(server: int) -> SamplerRequest:
        return dataclasses.replace(request_for(small, server=server), pretrained=True)

    (expected,) = await pool.samples(of_a_base(1))
    process = psutil.Process(pool.processes.slow_process(Lane.PRETRAINED).pid)
    assert process.pid not in pool.processes.pids
    process.suspend()
    waiting = [asyncio.create_task(pool.samples(of_a_base(server))) for server in (1, 2, 3, 4)]
    await asyncio.sleep(0)
    assert await pool.samples(request_for(small, server=1)) == (expected,)
    assert not any(each.done() for each in waiting)
    process.resume()
    assert await asyncio.gather(*waiting) == [(expected,)] * 4


async def test_a_large_model_is_written_apart_until_it_proves_quick(
    small: Path, monkeypatch: pytest.MonkeyPatch
):
    def standing_back() -> list[psutil.Process]:
        return [child for child in psutil.Process().children() if child.nice() > psutil.Process().nice()]

    monkeypatch.setattr("bot.generation.process_choice.LIGHT_BYTES", 0)
    monkeypatch.setattr("bot.generation.process_choice.QUICK_LOAD_S", -1.0)
    pool = SamplerPool(1, timeout_s=PATIENCE_S)
    pool.start()
    (quick,) = pool.processes.pids
    apart = await pool.samples(request_for(small))
    assert pool.processes.pids == [quick]
    (process,) = standing_back()
    process.kill()
    assert await pool.samples(request_for(small)) == apart, "it is started again when it is needed"
    monkeypatch.setattr("bot.generation.process_choice.QUICK_LOAD_S", 1000.0)
    monkeypatch.setattr("bot.generation.process_choice.QUICK_STEP_S", 1000.0)
    assert await pool.samples(request_for(small)) == apart
    (process,) = standing_back()
    process.suspend()
    assert await pool.samples(request_for(small)) == apart
    process.resume()
    await asyncio.to_thread(pool.close)
    assert not process.is_running()


async def first_answer(pool: SamplerPool, bundle: Path) -> SampledText:
    """Ask until a process that has just started answers; on a busy machine that may take a while."""
    for _ in range(30):
        with contextlib.suppress(SamplerUnavailable):
            return (await pool.samples(request_for(bundle)))[0]
    raise AssertionError("no sampler answers")


async def test_a_folder_that_is_no_bundle_is_refused_and_no_process_dies(pool: SamplerPool, tmp_path: Path):
    before = pool.processes.pids
    with pytest.raises(SampleRefused):
        await pool.samples(request_for(tmp_path))
    assert pool.processes.pids == before


async def test_closing_ends_every_process(trained_bundle: Path):
    pool = SamplerPool(2, timeout_s=PATIENCE_S)
    pool.start()
    processes = [psutil.Process(pid) for pid in pool.processes.pids]
    assert len(processes) == 2
    await asyncio.to_thread(pool.close)
    assert not any(process.is_running() for process in processes)
    with pytest.raises(SamplerUnavailable, match="shutting down"):
        await pool.samples(request_for(trained_bundle))


async def test_several_texts_come_with_a_random_seed_each(pool: SamplerPool, trained_bundle: Path):
    together = await pool.samples(request_for(trained_bundle, count=3, top_p=0.8))
    assert [text.random_seed for text in together] == [3, 4, 5]
    for text in together:
        alone = request_for(trained_bundle, top_p=0.8, random_seed=text.random_seed)
        assert await pool.samples(alone) == (text,)


async def test_a_cancelled_request_is_not_written_any_more(
    trained_bundle: Path, monkeypatch: pytest.MonkeyPatch
):
    # Far longer than the samples of Discord: it must not end by itself while the test looks.
    monkeypatch.setitem(BOUNDS, "length", (1, 1_000_000))
    pool = SamplerPool(1, timeout_s=PATIENCE_S)
    pool.start()
    try:
        await pool.samples(request_for(trained_bundle, 5))
        long = request_for(trained_bundle, 1_000_000, count=5)
        leaving = asyncio.create_task(pool.samples(long))
        await asyncio.sleep(0.3)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        process = psutil.Process(pool.processes.pids[0])
        for _ in range(100):
            before = sum(process.cpu_times()[:2])
            await asyncio.sleep(0.2)
            if sum(process.cpu_times()[:2]) - before < 0.05:
                return
        pytest.fail("the sampler still writes a cancelled request")
    finally:
        await asyncio.to_thread(pool.close)


async def test_a_copy_of_the_corpus_is_reported(pool: SamplerPool, trained_bundle: Path, tmp_path: Path):
    (text,) = await pool.samples(request_for(trained_bundle, 400))
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("Before. " + text.text[100:171].upper() + " After.", encoding="utf-8")
    watched = dataclasses.replace(request_for(trained_bundle, 400), corpus=corpus, longest_copy=50)
    assert (await pool.samples(watched))[0].copied >= 71
    assert (await pool.samples(dataclasses.replace(watched, longest_copy=90)))[0].copied == 0
    corpus.unlink()
    assert (await pool.samples(watched))[0].copied == 0


async def test_a_flood_of_one_server_is_refused_and_delays_no_other_server(
    pool: SamplerPool, trained_bundle: Path
):
    await asyncio.gather(*(pool.samples(request_for(trained_bundle, server=number)) for number in range(8)))
    admission = Admission()

    async def ask() -> tuple[SampledText, ...]:
        with admission.admitted(1):
            return await pool.samples(request_for(trained_bundle, 200, server=1))

    flood = [asyncio.create_task(ask()) for _ in range(300)]
    await asyncio.sleep(0)
    (other,) = await pool.samples(request_for(trained_bundle, 200, server=2))
    assert sum(task.done() and task.exception() is None for task in flood) < 40
    answers = await asyncio.gather(*flood, return_exceptions=True)
    assert {answer[0].text for answer in answers if isinstance(answer, tuple)} == {other.text}
    refused = [answer for answer in answers if not isinstance(answer, tuple)]
    assert {str(answer) for answer in refused} == {
        "This server already has 48 texts on the way. Try again in a moment."
    }
    assert len(answers) - len(refused) == 48
