"""Hostile uploads at once: what the event loop and the bot's memory pay while children read them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks.figures import Figure
from bot.errors import UserError
from bot.infra.children.untrusted_input import ChildPool
from bot.infra.paths import Layout
from bot.training.uploads import attachments, intake
from tests.support.texts.hostile import FAMILIES
from textgen.errors import CorpusError

MINUTES = 3.0
ALONE = True

_TICK_S = 0.01
_PIECE = 1 << 16
_WORST = (
    *("marks in the wrong order", "marks in turn", "flags", "joined emoji", "'s", "exclamation marks"),
    *("short lines", "JSON authors", "at signs", "letters with many marks", "times and spaces", "spaces"),
    *("expanding signs", "telephone numbers", "line breaks", "ideographs", "HTML tags", "dashes"),
    *("Σ and marks", "skin tones"),
)


class _Declared:
    """An attachment as Discord tells of it."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)
        self.url = self.filename = "hostile.txt"


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Upload them all, each for a server of its own."""
    size = 300_000 if short else 10 * 2**20
    worst = _WORST[:4] if short else _WORST
    uploads = [_Declared(FAMILIES[name](size).encode()[:size]) for name in worst]
    lags, grown = asyncio.run(_upload(uploads, Layout(folder)))
    lags.sort()
    which = f"{len(uploads)} hostile uploads of {size:,} bytes"
    # The short form runs beside other tests.
    bound = "≤ 0.25" if short else "≤ 0.05"
    yield Figure(f"{which}: lag of the event loop, p99", lags[int(0.99 * len(lags))], "s", bound)
    yield Figure(f"{which}: growth of the bot's memory", grown, "MiB", "≤ 64")


async def _upload(uploads: list[_Declared], layout: Layout) -> tuple[list[float], float]:
    """Return the lags in seconds, and how many MiB the process grew."""
    process = psutil.Process()
    before = process.memory_info().rss
    pool = ChildPool("intake", intake.AT_ONCE)
    lags: list[float] = []
    largest = before

    async def watch() -> None:
        nonlocal largest
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(_TICK_S)
            lags.append(time.perf_counter() - begun - _TICK_S)
            largest = max(largest, process.memory_info().rss)

    async def one(guild_id: int, declared: Any) -> None:
        async def download(_url: str) -> AsyncIterator[bytes]:
            for begin in range(0, declared.size, _PIECE):
                yield declared.data[begin : begin + _PIECE]
                await asyncio.sleep(0)

        path = layout.upload(guild_id, "raw")
        await attachments.save(declared, declared.size, download, path)
        with contextlib.suppress(UserError, CorpusError):
            await pool.call(guild_id, intake.accept, path, filename="x.txt", guild_id=guild_id, layout=layout)

    watching = asyncio.ensure_future(watch())
    await asyncio.gather(*(one(number, declared) for number, declared in enumerate(uploads)))
    watching.cancel()
    pool.close()
    return lags, (largest - before) / 2**20
