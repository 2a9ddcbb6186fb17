"""A bot in thousands of servers: its start, memory, answers and housekeeping.

`python -m benchmarks.servers [SERVERS …]`; 2,500 and 10,000 if no number is given. The bot is `pastiche run`,
a process of its own with nothing replaced. Discord is a small server on loopback that names the servers with
20 channels and 15 roles each, and every server has 20 models, trainings and texts in the database (SQLite).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks import seeding
from benchmarks.figures import Figure
from bot.infra.paths import Layout
from bot.settings import load_settings
from tests.support.bot.discord_server import DiscordServer, guild
from tests.support.bot.gateway_server import listening
from tests.support.bot.processes import TOKEN

SERVERS = (2_500, 10_000)
FEW = 10
A_SHARD = 1_000
"""Servers for which Discord recommends another shard."""
MAX_CONCURRENCY = 1
CHANNELS, ROLES = 20, 15
# The queue has the same length with any number of servers.
WAITING = 10
# So long that none of the texts expires: most hours have few of them.
KEPT_DAYS = 90
ASKED = 120
COMMANDS = ("models", "jobs", "help", "settings show")
IDLE_S = 20.0
READY_S = 300.0
"""A bot in 10,000 servers is ready after about a minute, most of which Discord makes its shards wait."""
MIB = 2**20


def run() -> list[Figure]:
    """Measure with as many servers as one connection may have, then with many."""
    return [figure for servers in SERVERS for figure in asyncio.run(_compared(servers))]


class Running:
    """A bot in some servers, ready and idle.

    Attributes:
        figures: what was measured so far.
        taken_s: seconds to the answer of each command, by its name.
    """

    def __init__(self, servers: int, data_dir: Path, *, idle_s: float = IDLE_S) -> None:
        self._servers, self._data_dir, self._idle_s = servers, data_dir, idle_s
        self._shards = -(-servers // A_SHARD)
        self._discord = DiscordServer()
        self._discord.guilds = [
            guild(seeding.guild_id(number), channels=CHANNELS, roles=ROLES) for number in range(servers)
        ]
        self._discord.recommended, self._discord.max_concurrency = self._shards, MAX_CONCURRENCY
        self._bot: psutil.Popen | None = None
        self.figures: dict[str, float] = {"shards": self._shards}
        self.taken_s: dict[str, list[float]] = {name: [] for name in COMMANDS}

    @contextlib.asynccontextmanager
    async def started(self) -> AsyncIterator[Running]:
        """Fill a database, start the bot, and wait until it idles."""
        self._data_dir.mkdir(parents=True)
        url = load_settings(data_dir=self._data_dir, database_url="").database_url
        usual = {"waiting": WAITING, "changed": 0, "kept_days": KEPT_DAYS}
        await asyncio.to_thread(lambda: seeding.seed(url, self._servers, **usual))
        log = self._data_dir.with_suffix(".log")
        environment = {"PASTICHE_DATA_DIR": str(self._data_dir), "DISCORD_TOKEN": TOKEN, "DATABASE_URL": ""}
        async with listening(self._discord):
            environment |= {"DISCORD_API": self._discord.url, "PASTICHE_JOBS": "elsewhere"}
            with log.open("w") as output:
                self._bot = psutil.Popen(
                    [sys.executable, "-m", "bot", "run"], env=os.environ | environment, stderr=output
                )
            try:
                await self._idle(self._bot, log)
                yield self
            finally:
                self._bot.kill()
                self._bot.wait()

    async def ask(self, number: int) -> None:
        """Use a command in one of the servers."""
        name = COMMANDS[number % len(COMMANDS)]
        asked_in = seeding.guild_id(number * self._servers // ASKED)
        self.taken_s[name].append(await self._discord.slash(asked_in, self._shards, name))

    async def _idle(self, bot: psutil.Popen, log: Path) -> None:
        begun = time.monotonic()
        while not (self._discord.commands and self._beat().get("ready")):
            if bot.poll() is not None or time.monotonic() - begun > READY_S:
                raise RuntimeError(_end_of(log))
            await asyncio.sleep(0.1)
        identified = [moment for moment, _shard in self._discord.identifies]
        self.figures |= {"ready": time.monotonic() - begun, "waiting": identified[-1] - identified[0]}
        await asyncio.sleep(self._idle_s)  # housekeeping begins when the bot is ready
        before = bot.cpu_times()
        await asyncio.sleep(self._idle_s)
        after = bot.cpu_times()
        self.figures["idle"] = 100 * (after.user + after.system - before.user - before.system) / self._idle_s
        self.figures["memory"] = bot.memory_info().rss / MIB
        self.figures["lag"] = self._beat()["lag_p99_ms"]

    def _beat(self) -> dict[str, Any]:
        for heartbeat in Layout(self._data_dir).heartbeats():
            return dict(json.loads(heartbeat.read_bytes()))
        return {}


def _end_of(log: Path) -> str:
    return log.read_text()[-2000:]


async def _compared(servers: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="pastiche-bench-") as folder:
        async with (
            Running(FEW, Path(folder) / "few").started() as few,
            Running(servers, Path(folder) / "many").started() as many,
        ):
            for number in range(ASKED):  # in turn, so that both meet the same other work of the machine
                await few.ask(number)
                await many.ask(number)
    # Other work only ever adds to a time, so the least of several is compared.
    ratio = sum(map(min, many.taken_s.values())) / sum(map(min, few.taken_s.values()))
    found, name = many.figures, f"{servers:,} servers"
    return [
        Figure(f"{name}: shards", found["shards"], ""),
        Figure(f"{name}: from the start to ready", found["ready"], "s"),
        Figure(f"{name}: of that, waiting until shards may identify themselves", found["waiting"], "s"),
        Figure(f"{name}: memory, idle", found["memory"], "MiB", "≤ 250" if servers <= SERVERS[0] else ""),
        Figure(f"{name}: memory, idle, with {FEW}", few.figures["memory"], "MiB"),
        Figure(f"{name}: processor when idle", found["idle"], "%"),
        Figure(f"{name}: processor when idle, with {FEW}", few.figures["idle"], "%"),
        Figure(f"{name}: event loop's lag with start and housekeeping, p99", found["lag"], "ms", "≤ 50"),
        Figure(f"{name}: that with {FEW}", few.figures["lag"], "ms"),
        Figure(
            f"{name}: a command, median",
            statistics.median(itertools.chain(*many.taken_s.values())) * 1000,
            "ms",
        ),
        Figure(f"{name}: a command at its fastest, to {FEW} servers", ratio, "×", "≤ 1.2"),
    ]


def main() -> None:
    """Print the figures."""
    for servers in [int(each) for each in sys.argv[1:]] or SERVERS:
        for figure in asyncio.run(_compared(servers)):
            print(f"{figure.value:10,.1f} {figure.unit:4} {figure.name} {figure.bound}", flush=True)


if __name__ == "__main__":
    main()
