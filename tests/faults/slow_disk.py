"""Every fsync takes two seconds more: each command's first answer comes within three, the loop stays free."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import simcord

from benchmarks.figures import Figure
from bot.demo.playground import simulated_bot
from bot.settings import Settings
from tests.faults.harness import told_by_child
from tests.faults.tools import needs
from tests.faults.tools.first_answers import FirstAnswers
from tests.support.bot.world import World
from tests.support.textgen.bundles import write_random_bundle

MINUTES = 2.0
NEEDS = (needs.strace,)
ALONE = True
_SAID = b"To be, or not to be, that is the question.\n" * 100
_COMMANDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("generate", {"length": 30}),
    ("models", {}),
    ("models", {"model": "Bard"}),
    ("settings show", {}),
    ("settings edit", {"temperature": 0.9}),
    ("schedule add", {"when": "daily 09:00"}),
    ("schedule list", {}),
    ("privacy show", {}),
    ("train", {"name": "x", "corpus": ("c.txt", _SAID), "rights": True}),
    ("jobs", {}),
    ("generate", {"length": 30}),
)
_SHORT = (1, 4)


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Run the commands in a process whose fsyncs are slow."""
    # Other tests run beside the short form.
    delay_s, lag_s = (1, 1.0) if short else (2, 0.25)
    strace = ("strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync")
    delay = ("-e", f"inject=fsync,fdatasync:delay_enter={delay_s}s")
    told = told_by_child("slow_disk", folder, short=short, under=(*strace, *delay))
    slowest = max(told["firsts"], key=told["firsts"].get)
    yield Figure(
        f"fsync + {delay_s} s: slowest first answer ({slowest})", told["firsts"][slowest], "s", "≤ 3"
    )
    yield Figure(f"fsync + {delay_s} s: largest lag of the event loop", told["lag_s"], "s", f"≤ {lag_s:g}")


async def _main(folder: Path, *, short: bool) -> dict[str, Any]:
    write_random_bundle(folder / "bundle", "linear")
    bot = simulated_bot(Settings(_env_file=None, data_dir=folder / "data"))
    answers = FirstAnswers()
    async with simcord.run(bot, check_errors=False, settle_timeout=180) as env:
        world = World(env, bot.settings)
        place = world.place("Stratford")
        world.give_model(place, folder / "bundle", "Bard")
        lags: list[float] = []
        watching = asyncio.create_task(_watch(lags))
        for number, (name, options) in enumerate(_COMMANDS):
            if short and number not in _SHORT:
                continue
            answers.begin(f"{number + 1}: /{name}")
            await place.admin.slash(place.channel, name, **options)
        watching.cancel()
        await bot.close()
    return {"firsts": answers.seconds, "lag_s": max(lags)}


async def _watch(lags: list[float]) -> None:
    while True:
        begun = time.perf_counter()
        await asyncio.sleep(0.01)
        lags.append(time.perf_counter() - begun - 0.01)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_main(Path(sys.argv[1]), short=sys.argv[2] == "short"))))
