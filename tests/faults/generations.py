"""10,000 generations through the sampler pool, its processes killed and stopped: nothing grows or waits.

Mixed models, seeds, lengths and temperatures, some looked for in a corpus.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.figures import Figure
from bot.errors import SamplerUnavailable
from bot.generation.pool import SamplerPool
from bot.generation.request import SamplingOptions
from bot.generation.sampler_protocol import SamplerRequest
from tests.faults.tools import trainings
from tests.support.textgen.bundles import write_random_bundle

MINUTES = 3.0
_CELLS = ("linear", "lstm", "gru")
_MODELS = 6
_SEEDS = ("", "the end", "A din", "é" * 50)
_AT_ONCE = 6
_HUNG_S = 2.0


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Ask, look, ask again."""
    for number in range(_MODELS):
        write_random_bundle(folder / f"model{number}", _CELLS[number % len(_CELLS)])
    (folder / "corpus.txt").write_text(trainings.corpus(200_000), encoding="utf-8")
    yield from asyncio.run(_measured(folder, 120 if short else 10_000, 2 if short else 15))


async def _measured(folder: Path, count: int, kills: int) -> list[Figure]:
    pool = SamplerPool(1, timeout_s=60)
    pool.start()

    async def ask(first: int) -> None:
        requests = (_request(folder, number) for number in range(first, first + _AT_ONCE))
        await asyncio.gather(*map(pool.samples, requests))

    for first in range(0, max(60, count // 20), _AT_ONCE):
        await ask(first)
    # It starts by itself where one server asks for more than others, and keeps its pipes for minutes.
    pool.processes.slow_process()
    before = _look(pool)
    for first in range(0, count, _AT_ONCE):
        await ask(first)
    after = _look(pool)
    names = ("bot's memory", "bot's descriptors", "sampler's memory", "sampler's descriptors")
    figures = [
        Figure(f"{count:,} generations: growth of the {name}", late - early, unit, bound)
        for name, early, late, unit, bound in zip(
            names, before, after, ("MiB", "", "MiB", ""), ("≤ 20", "≤ 0", "≤ 20", "≤ 0"), strict=True
        )
    ]
    slowest = 0.0
    for _ in range(kills):
        os.kill(pool.processes.pids[0], signal.SIGKILL)
        begun = time.monotonic()
        await ask(0)
        slowest = max(slowest, time.monotonic() - begun)
        await asyncio.sleep(1.1)  # what dies younger is not started again at once
    grown = psutil.Process().num_fds() - after[1]
    figures.append(Figure(f"{kills} × kill -9 of the sampler: slowest answer", slowest, "s", "≤ 20"))
    figures.append(Figure(f"{kills} × kill -9 of the sampler: growth of descriptors", grown, "", "≤ 0"))
    figures += await _hung(pool, folder)
    await asyncio.to_thread(pool.close)
    return figures


async def _hung(pool: SamplerPool, folder: Path) -> list[Figure]:
    """Stop the processes; whoever waits is told, and the next one is answered by another."""
    pool._timeout_s = _HUNG_S
    # The one apart as well: on a busy machine a model may count as slow to load.
    hung = [process for process in psutil.Process().children() if "serve" in process.cmdline()]
    for process in hung:
        process.suspend()
    begun = time.monotonic()
    try:
        await pool.samples(_request(folder, 1))
    except SamplerUnavailable:
        told_s = time.monotonic() - begun
    else:
        raise AssertionError("a stopped process answered")
    pool._timeout_s = 60
    begun = time.monotonic()
    await pool.samples(_request(folder, 1))
    answered_s = time.monotonic() - begun
    return [
        Figure(f"sampler stopped, {_HUNG_S:g} s allowed: told after", told_s, "s", f"≤ {_HUNG_S + 1:g}"),
        Figure("sampler stopped: next answer after", answered_s, "s", "≤ 20"),
        Figure("sampler stopped: still there", all(process.is_running() for process in hung), "", "≤ 0"),
    ]


def _request(folder: Path, number: int) -> SamplerRequest:
    return SamplerRequest(
        bundle=folder / f"model{number % _MODELS}",
        seed=_SEEDS[number % len(_SEEDS)],
        options=SamplingOptions(
            length=10 + number % 50,
            temperature=(0.0, 0.7, 1.3)[number % 3],
            random_seed=number,
            top_p=(None, 0.9)[number % 2],
            count=1 + number % 3,
        ),
        corpus=folder / "corpus.txt" if number % 5 == 0 else None,
        longest_copy=40,
        guild_id=number % 3,
    )


def _look(pool: SamplerPool) -> tuple[float, int, float, int]:
    """Return memory in MiB and descriptors, of this process and of the sampler."""
    bot, (sampler,) = psutil.Process(), map(psutil.Process, pool.processes.pids)
    return (
        bot.memory_info().rss / 2**20,
        bot.num_fds(),
        sampler.memory_info().rss / 2**20,
        sampler.num_fds(),
    )
