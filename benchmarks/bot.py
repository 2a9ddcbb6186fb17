"""Figures of the bot: memory when idle, time to answer, and lag of the event loop during a training.

Everything but Discord is real. SimCord simulates Discord in the same process, so the bot needs a
little more memory than in production.
"""

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import discord
import psutil
import simcord

from benchmarks.figures import Figure, trained_bundle
from bot.bundles.publishing import publish_bundle
from bot.client import Pastiche
from bot.demo.playground import simulated_bot
from bot.generation.sampler import SamplerWorker
from bot.generation.sampler_protocol import Refusal
from bot.infra.health import Heartbeat
from bot.infra.logs import configure_logs
from bot.settings import load_settings
from models import guilds, training_jobs

MIB = 2**20
GENERATIONS = 30
GENERATED_CHARACTERS = 500
TRAINING_MINUTES = 0.4

IDLE_BOT = """
import asyncio, sys
import simcord
from benchmarks.figures import Figure
from bot.app import create_bot
from bot.infra.health import Heartbeat
from bot.infra.logs import configure_logs
from bot.settings import load_settings

async def main():
    settings = load_settings()
    configure_logs(settings)
    await simcord.Env(create_bot(settings)).start()
    banned = {"keras", "tensorflow", "torch", "jax"} & {name.split(".")[0] for name in sys.modules}
    print(len(banned), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def run() -> list[Figure]:
    """Train for a few seconds and measure with that model."""
    with tempfile.TemporaryDirectory(prefix="pastiche-bench-") as folder:
        root = Path(folder)
        bundle = trained_bundle(root)
        return [*_idle(root), *_sampler(bundle), *asyncio.run(_serving(root, bundle))]


def _idle(root: Path) -> list[Figure]:
    environment = os.environ | {"PASTICHE_DATA_DIR": str(root / "idle")}
    with subprocess.Popen(
        [sys.executable, "-c", IDLE_BOT], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        banned = int(process.stdout.readline()) if process.stdout else -1
        time.sleep(3)
        resident = psutil.Process(process.pid).memory_info().rss / MIB
        process.kill()
    return [
        Figure("bot, idle: memory", resident, "MiB", "≤ 160"),
        Figure("bot, idle: training frameworks imported", banned, "", "≤ 0"),
    ]


def _sampler(bundle: Path) -> list[Figure]:
    started = time.perf_counter()
    worker = SamplerWorker(1, lambda _: None)
    settings = {"length": 20, "temperature": 0.7, "random_seed": 1}
    answer = worker.submit("first", {"bundle": str(bundle), "seed": "", "settings": settings}).result(30)
    first_s = time.perf_counter() - started
    if isinstance(answer, Refusal):
        raise RuntimeError(answer.message)
    resident = psutil.Process(worker.pid).memory_info().rss / MIB
    worker.close()
    return [
        Figure("sampler: first answer after its start", first_s, "s", "≤ 1"),
        Figure("sampler: memory", resident, "MiB", "≤ 120"),
    ]


async def _serving(root: Path, bundle: Path) -> list[Figure]:
    settings = load_settings(data_dir=root / "data", database_url="", log_level="WARNING")
    configure_logs(settings)
    bot = simulated_bot(settings)
    env = simcord.Env(bot, settle_timeout=30)
    await env.start()
    guild = env.create_guild("Bench")
    channel = guild.create_text_channel("bench")
    managers = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
    admin = guild.add_member(env.create_user("ada"), roles=[managers])
    _publish(bot, guild.id, bundle)
    await admin.slash(channel, "generate", length=10)  # loads the model
    taken = []
    for _ in range(GENERATIONS):
        begun = time.perf_counter()
        await admin.slash(channel, "generate", length=GENERATED_CHARACTERS)
        taken.append(time.perf_counter() - begun)

    corpus = ("corpus.txt", (root / "corpus" / "input.txt").read_bytes())
    lag = Heartbeat(root / "lag", lambda: True)
    lag.start(asyncio.get_running_loop())
    await admin.slash(
        channel, "train", name="Busy", corpus=corpus, rights=True, minutes=TRAINING_MINUTES, size="large"
    )
    if not await bot.database.call(training_jobs.listing, guild.id):
        raise RuntimeError("the training was refused: nothing can be measured beside it")
    requests = 0
    while await bot.database.call(training_jobs.listing, guild.id):
        await env.advance_time(2)
        await admin.slash(channel, "generate", model="Bench", length=GENERATED_CHARACTERS)
        requests += 1
    await asyncio.to_thread(lag.stop)
    await bot.close()
    await env.shutdown()
    return [
        Figure(
            f"/generate of {GENERATED_CHARACTERS} characters, warm: median",
            statistics.median(taken),
            "s",
            "≤ 0.3",
        ),
        Figure("event loop's lag in a training, p99", lag.lag_s(0.99) * 1000, "ms", "≤ 50"),
        Figure("/generate answered meanwhile", requests, ""),
    ]


def _publish(bot: Pastiche, guild_id: int, bundle: Path) -> None:
    copy = bot.layout.bundle(guild_id, "bench")
    shutil.copytree(bundle, copy)
    with bot.database.write() as session:
        publish_bundle(session, guild_id, copy, name="Bench", created_by=guild_id)
        guilds.edit(session, guild_id, cooldown_s=0)
