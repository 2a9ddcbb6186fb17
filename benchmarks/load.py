"""Figures under load: many servers at once, and one server with far too many requests.

The whole way of a sample in the bot is measured: permission, database, cooldown, turns, sampler, the check
for copies, message. Only Discord is missing: the time of each message is recorded instead of sending it.
Each server has a model of its own, and each core a sampler.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import discord
import psutil

import migrations
from benchmarks.figures import Figure, trained_bundle
from bot.app import create_bot
from bot.bundles.publishing import publish_bundle
from bot.client import Pastiche
from bot.errors import UserError
from bot.generation.request import GenerationRequest, SamplingOptions
from bot.infra.logs import configure_logs
from bot.settings import load_settings
from bot.views.sample_buttons import answer_with_samples
from models import corpora, guilds

SERVERS = 50
REQUESTS = 200
FLOOD = 1000
CHARACTERS = 300
MIB = 2**20


class Asker:
    """One use of /generate, and when it was answered.

    Attributes:
        first_s: seconds to the first answer, of whatever kind.
        done_s: seconds to the text.
        refused: the line that came instead of it.
    """

    def __init__(self, bot: Pastiche, guild_id: int, user_id: int) -> None:
        self.client, self.guild_id, self.channel_id, self.channel = bot, guild_id, 1, None
        self.user = SimpleNamespace(id=user_id)
        self.permissions = discord.Permissions.none()
        self.extras: dict[str, Any] = {}
        self.response = self.followup = self
        self.first_s = self.done_s = float("nan")
        self.refused = ""

    async def ask(self) -> Asker:
        """Ask for a text and wait until it is there."""
        self._begun = time.monotonic()
        try:
            await answer_with_samples(
                cast("Any", self), GenerationRequest(options=SamplingOptions(CHARACTERS))
            )
        except UserError as error:
            self._answered()
            self.refused = str(error)
        return self

    def is_done(self) -> bool:
        """Whether there was a first answer."""
        return self.first_s == self.first_s

    async def defer(self, **_options: object) -> None:
        """What Discord would show as "is thinking"."""
        self._answered()

    async def send_message(self, **_options: object) -> None:
        """The text, as a first answer or after one."""
        self._answered()
        self.done_s = time.monotonic() - self._begun

    send = send_message

    def _answered(self) -> None:
        if not self.is_done():
            self.first_s = time.monotonic() - self._begun


def run() -> list[Figure]:
    """Send requests from all servers at once, twice: without and with a flood."""
    with tempfile.TemporaryDirectory(prefix="pastiche-bench-") as folder:
        root = Path(folder)
        return asyncio.run(_measure(root, trained_bundle(root)))


async def _measure(root: Path, bundle: Path) -> list[Figure]:
    settings = load_settings(
        data_dir=root / "data", database_url="", log_level="WARNING", samplers=min(2, os.cpu_count() or 1)
    )
    configure_logs(settings)
    settings.prepare_data_dir()
    migrations.upgrade(settings.database_url)
    bot = create_bot(settings)
    for guild_id in range(1, SERVERS + 1):
        _settle_in(bot, guild_id, bundle)
    bot.pool.start()
    try:
        await asyncio.gather(*(Asker(bot, guild_id, 0).ask() for guild_id in range(1, SERVERS + 1)))
        even = await asyncio.gather(*(asker.ask() for asker in _askers(bot, range(1, SERVERS + 1))))
        used = [psutil.Process(pid).memory_info() for pid in bot.pool.processes.pids]
        flood = [asyncio.create_task(Asker(bot, SERVERS, user).ask()) for user in range(FLOOD)]
        await asyncio.sleep(0.1)  # it is there first
        others = await asyncio.gather(*(asker.ask() for asker in _askers(bot, range(1, SERVERS))))
        flooding = await asyncio.gather(*flood)
    finally:
        await asyncio.to_thread(bot.pool.close)
        bot.database.dispose()
    name = f"{REQUESTS} /generate of {CHARACTERS} characters from {SERVERS} servers"
    lost = [asker for asker in (*even, *others) if asker.done_s != asker.done_s]
    firsts = [asker.first_s for asker in (*even, *others, *flooding)]
    return [
        Figure(f"{name}: p95", _p95(even), "s", "≤ 2"),
        Figure(f"{name}: the slowest first answer", max(firsts), "s", "≤ 1"),
        Figure(f"{name}: lost", len(lost), "", "≤ 0"),
        Figure(f"one server sends {FLOOD}: the others' p95 to before", _p95(others) / _p95(even), "×", "≤ 2"),
        Figure(
            f"one server sends {FLOOD}: told that it is too much", sum(bool(a.refused) for a in flooding), ""
        ),
        # Without pages of files: processes share them, and the system can reclaim them.
        Figure(
            "a sampler then: memory of its own", max(each.rss - each.shared for each in used) / MIB, "MiB"
        ),
    ]


def _settle_in(bot: Pastiche, guild_id: int, bundle: Path) -> None:
    """Give a server a model of its own, and no cooldown."""
    copy = bot.layout.bundle(guild_id, "bench")
    shutil.copytree(bundle, copy)
    text = bundle.with_name("corpus") / "input.txt"
    with bot.database.write() as session:
        corpus = corpora.add(
            session, guild_id, sha256="0" * 64, filename=text.name, path=str(text), characters=1, lines=1,
            symbols=1, uploaded_by=guild_id, rights_confirmed_at=datetime.datetime.now(datetime.UTC),
        )  # fmt: skip
        publish_bundle(session, guild_id, copy, name="Bench", created_by=guild_id, corpus_id=corpus.id)
        guilds.edit(session, guild_id, cooldown_s=0)


def _askers(bot: Pastiche, servers: range) -> list[Asker]:
    return [Asker(bot, servers[number % len(servers)], number) for number in range(REQUESTS)]


def _p95(askers: list[Asker]) -> float:
    return statistics.quantiles([asker.done_s for asker in askers], n=20)[-1]
