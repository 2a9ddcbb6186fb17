"""Another process keeps the database locked for seconds: every first answer comes in time all the same."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import simcord

from benchmarks.figures import Figure
from bot.demo.playground import simulated_bot
from bot.settings import Settings
from tests.faults.harness import told_by_child
from tests.faults.tools.first_answers import FirstAnswers
from tests.support.bot.surface import commands_of, filled, spelled, templates
from tests.support.bot.world import World, answer
from tests.support.textgen.bundles import write_random_bundle

MINUTES = 4.0
WAITS = True
LOCKED_S = 6.0
_SHORT = ("settings edit", "schedule list")


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Use everything in a process of its own, the database locked anew for each."""
    told = told_by_child("locked_database", folder, short=short)
    yield Figure(
        f"database locked for {told['locked_s']:g} s: slowest first answer ({told['slowest']})",
        told["seconds"],
        "s",
        "≤ 2.5",
    )
    yield Figure("database locked: used without a first answer", told["unanswered"], "", "≤ 0")


class Lock:
    """Another writer of the database, who takes his time."""

    def __init__(self, path: Path, locked_s: float) -> None:
        self._path, self._locked_s = path, locked_s

    def take(self) -> None:
        """Lock the database from now on; returns once it is locked."""
        locked = threading.Event()

        def hold() -> None:
            connection = sqlite3.connect(self._path, isolation_level=None, timeout=60)
            connection.execute("BEGIN IMMEDIATE")
            locked.set()
            threading.Event().wait(self._locked_s)
            connection.execute("ROLLBACK")
            connection.close()

        threading.Thread(target=hold, daemon=True).start()
        locked.wait()


async def _main(folder: Path, *, short: bool) -> dict[str, Any]:
    write_random_bundle(folder / "bundle", "linear")
    bot = simulated_bot(Settings(_env_file=None, data_dir=folder / "data"))
    locked_s = 1.0 if short else LOCKED_S
    answers, used = FirstAnswers(), 0
    async with simcord.run(bot, check_errors=False, settle_timeout=180) as env:
        world = World(env, bot.settings)
        place = world.place("Stratford")
        world.give_model(place, folder / "bundle", "Bard")
        lock = Lock(bot.settings.data_dir / "pastiche.sqlite", locked_s)
        for command in list(commands_of(world)):
            name = command.qualified_name
            if short and name not in _SHORT:
                continue
            options = filled(world, place, command)
            if name == "settings edit":
                options["temperature"] = 0.9
            used += 1
            await asyncio.to_thread(lock.take)
            answers.begin(f"/{name}")
            await place.admin.slash(place.channel, name, **options)
        for label in ("Rename",) if short else ("Make default", "Rename", "Delete"):
            panel = answer(await place.admin.slash(place.channel, "models", model="Bard")).message
            used += 1
            await asyncio.to_thread(lock.take)
            answers.begin(label)
            await place.admin.click(panel, label=label)
        for template in () if short else templates(world):
            custom_id = spelled(template, dict.fromkeys(template.groupindex, "1")) or spelled(template, {})
            used += 1
            await asyncio.to_thread(lock.take)
            answers.begin(str(custom_id))
            await world.press_forged(place, place.admin, str(custom_id))
        await bot.close()
    slowest, seconds = answers.slowest()
    return {
        "slowest": slowest,
        "seconds": seconds,
        "unanswered": used - len(answers.seconds),
        "locked_s": locked_s,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_main(Path(sys.argv[1]), short=sys.argv[2] == "short"))))
