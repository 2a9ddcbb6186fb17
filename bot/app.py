"""The processes put together: the bot with its command tree and its commands, and the worker.

`create_bot` gives one that has not been started, for `run`, for tests and for the playground alike.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator

import structlog

from bot.client import Pastiche
from bot.commands import COMMAND_MODULES
from bot.commands.tree import AnsweringTree
from bot.infra.discord import connection
from bot.infra.paths import Layout
from bot.infra.upgrading import upgraded
from bot.infra.watching import parts
from bot.infra.watching.metrics import Metrics
from bot.infra.watching.readiness import Check, Readiness, writable
from bot.infra.watching.server import WatchServer
from bot.infra.watching.sources import Sources
from bot.infra.watching.thread import WatchThread
from bot.settings import Settings
from bot.settings.discord_api import read_api
from bot.training.jobs.queue import JobQueue
from bot.training.jobs.worker import JobWorker
from bot.training.trainer.installed import require_trainer
from bot.views.schedule_buttons import post_view
from models import Database

log = structlog.stdlib.get_logger(__name__)

WORKER = "worker"


def create_bot(settings: Settings) -> Pastiche:
    """Return a bot that is ready to be started by `start(token)`, or by a simulated Discord.

    Args:
        settings: a token is needed only by who starts it for real.
    """
    return Pastiche(settings, COMMAND_MODULES, AnsweringTree, post_view)


def serve_until_told(settings: Settings, token: str) -> None:
    """Connect to Discord and serve until SIGINT or SIGTERM, then end in order.

    Raises:
        SettingsError: the host has to put something right, or another process serves the same servers.
        ConnectionRefused: Discord does not let the bot in.
        DatabaseError: the database cannot be used.
    """
    if settings.jobs == "here":
        require_trainer()
    asyncio.run(_serve(settings, token))


async def _serve(settings: Settings, token: str) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    if settings.discord_api:
        connection.use_api(read_api(settings.discord_api))
    async with create_bot(settings) as bot, watched(bot):
        bot.connect_as_recommended()
        serving = asyncio.create_task(connection.serve(bot, token))
        stopping = asyncio.create_task(ended.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if serving.done():
            serving.result()
            if bot.stopped_by is not None:
                raise bot.stopped_by
        else:
            log.info("stopping")
            await bot.close()
            serving.cancel()  # it may be waiting for the end of an outage
            with contextlib.suppress(asyncio.CancelledError):
                await serving


@contextlib.asynccontextmanager
async def watched(bot: Pastiche) -> AsyncIterator[None]:
    """Serve the bot's metrics and its health while the block runs, if the host chose an address.

    That begins before the login: while Discord is away, the bot is alive and not ready.

    Raises:
        SettingsError: nothing can be served on the address.
    """
    settings = bot.settings
    if settings.metrics_address is None:
        yield
        return
    gateway = parts.connected(bot.gateway.seen_at, settings.health_max_age_s)
    readiness = Readiness({"gateway": gateway} | _parts(settings, bot.database, bot.queue))
    sources = Sources("bot", bot.metrics, bot.database, settings.data_dir, bot.heartbeat)
    sources.add_discord(bot, bot.gateway.seen_at)
    server = WatchServer(settings.metrics_address, bot.metrics, readiness, sources.look)
    await server.start()
    try:
        yield
    finally:
        await server.close()


def _parts(settings: Settings, database: Database, queue: JobQueue) -> dict[str, Check]:
    """What every process needs."""
    return {
        "database": parts.answering(database),
        "queue": queue.look,
        "storage": writable(settings.data_dir),
    }


def work_until_told(settings: Settings) -> None:
    """Run the trainings of the queue until SIGINT or SIGTERM, then end in order.

    Raises:
        SettingsError: another worker has this name, another process works with other tables, nothing can be
            served on the address for metrics, or this installation cannot train.
        DatabaseError: the database cannot be used.
    """
    require_trainer()
    metrics = Metrics()
    database = Database(settings.database_url, metrics.transaction)
    name = settings.executor_id or WORKER
    jobs = JobWorker(settings, database, executor_id=name, metrics=metrics)
    jobs.claim()
    claim = upgraded(settings)
    queue = JobQueue(settings, database)
    readiness = Readiness(_parts(settings, database, queue))
    path = Layout(settings.data_dir).heartbeat_of("worker", settings.executor_id)
    watching = WatchThread(settings, path, metrics, database, readiness)
    watching.start()
    try:
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        jobs.start()
        queue.reconcile()
        ended.wait()
        jobs.stop()
    finally:
        watching.stop()
    queue.close()
    database.dispose()
    claim.close()
