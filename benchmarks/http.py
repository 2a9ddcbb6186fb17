"""Figures of `textgen serve --http`: the first token, and two hundred requests at once.

A real service, and a client of its own process that sends real requests over loopback; both share the cores.
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
from rich.console import Console

from benchmarks.figures import Figure, trained_bundle

REQUESTS = 200
CHARACTERS = 300
FIRSTS = 21
_KEY = "benchmark"


def run() -> list[Figure]:
    """Train a model, serve it, and ask for texts."""
    with tempfile.TemporaryDirectory(prefix="textgen-bench-") as folder:
        bundle = trained_bundle(Path(folder))
        command = [sys.executable, "-m", "textgen", "serve", "--http", "--port", "0", str(bundle)]
        service = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env={**os.environ, "TEXTGEN_KEY": _KEY}
        )
        try:
            told = service.stderr.readline() if service.stderr else ""
            found = re.search(r"http://\S+", told)
            if found is None:
                raise RuntimeError(told)
            return asyncio.run(_measure(found[0]))
        finally:
            service.terminate()
            service.wait()


async def _measure(url: str) -> list[Figure]:
    # aiohttp opens a hundred connections by itself at most.
    connector = aiohttp.TCPConnector(limit=0)
    headers = {"Authorization": f"Bearer {_KEY}"}
    async with aiohttp.ClientSession(url + "/", connector=connector, headers=headers) as session:
        firsts = [await _first_token_s(session, number) for number in range(FIRSTS)]
        whole = await asyncio.gather(*(_seconds(session, number) for number in range(REQUESTS)))
        streamed = await asyncio.gather(
            *(_seconds(session, number, stream=True) for number in range(REQUESTS))
        )
    name = f"HTTP: {REQUESTS} requests of {CHARACTERS} characters at once"
    figures = [Figure("HTTP: first token, warm, median", statistics.median(firsts) * 1_000, "ms", "≤ 50")]
    for kind, seconds in (("", whole), (", streamed", streamed)):
        done = [each for each in seconds if each is not None]
        figures += [
            Figure(f"{name}{kind}: p95", statistics.quantiles(done, n=20)[-1], "s", "≤ 1.5"),
            Figure(f"{name}{kind}: lost", len(seconds) - len(done), "", "≤ 0"),
        ]
    return figures


def _asked(number: int, *, stream: bool) -> dict[str, object]:
    return {
        "model": "bundle", "prompt": "to be ", "max_tokens": CHARACTERS, "seed": number, "stream": stream,
    }  # fmt: skip


async def _first_token_s(session: aiohttp.ClientSession, number: int) -> float:
    begun = time.perf_counter()
    async with session.post("completions", json=_asked(number, stream=True)) as answer:
        answer.raise_for_status()
        await answer.content.readline()
        first = time.perf_counter() - begun
        await answer.read()
    return first


async def _seconds(session: aiohttp.ClientSession, number: int, *, stream: bool = False) -> float | None:
    """Return the seconds to a whole text, or None if it was lost."""
    begun = time.perf_counter()
    try:
        async with session.post("completions", json=_asked(number, stream=stream)) as answer:
            data = await answer.read()
            ended = data.endswith(b"data: [DONE]\n\n") if stream else b'"finish_reason"' in data
            return time.perf_counter() - begun if answer.status == 200 and ended else None
    except aiohttp.ClientError:
        return None


def main() -> int:
    """Print the figures; exit 1 if a request was lost. Times depend on what else the machine does."""
    figures = run()
    for figure in figures:
        Console(width=110).print(f"{figure.name}: {figure.value:,.4g} {figure.unit} {figure.bound}")
    return 1 if any(figure.value for figure in figures if figure.name.endswith("lost")) else 0


if __name__ == "__main__":
    sys.exit(main())
