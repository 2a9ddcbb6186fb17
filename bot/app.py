"""The processes put together: the bot with its command tree and its commands, and the worker.

`create_bot` gives one that has not been started, for `run`, for tests and for the playground alike.
"""

import asyncio
import contextlib
import signal
import threading
import time

import structlog

from bot.client import Pastiche
from bot.commands import COMMAND_MODULES
from bot.commands.tree import AnsweringTree
from bot.infra.discord import connection
from bot.infra.hosts.sign_of_life import WORKER, Superseded, own_name
from bot.infra.paths import Layout
from bot.infra.storage import starting
from bot.infra.storage.storage import Storage
from bot.infra.upgrading import upgraded
from bot.infra.watching import parts, worker
from bot.infra.watching.metrics import Metrics
from bot.infra.watching.readiness import Check, Readiness
from bot.infra.watching.server import served
from bot.infra.watching.sources import Sources
from bot.privacy import orphans
from bot.settings import Settings
from bot.settings.discord_api import read_api
from bot.training.jobs.queue import JobQueue
from bot.training.jobs.worker import JobWorker
from bot.training.trainer.installed import require_trainer
from bot.views.schedule_buttons import post_view
from models import Database, DatabaseError, utc_now

log = structlog.stdlib.get_logger(__name__)

ONCE_LOOKS_EVERY_S = 1.0
TIDY_EVERY_S = 3600.0


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
        Superseded: a later process has taken this one's name.
    """
    if settings.jobs == "here":
        require_trainer()
    asyncio.run(_serve(settings, token))


async def _serve(settings: Settings, token: str) -> None:
    ended = told_to_end()
    if settings.discord_api:
        connection.use_api(read_api(settings.discord_api))
    async with create_bot(settings) as bot, watched(bot):

        def superseded(reason: Superseded) -> None:
            bot.stopped_by = reason
            bot.loop.call_soon_threadsafe(ended.set)

        bot.superseded = superseded
        bot.connect_as_recommended()
        serving = asyncio.create_task(connection.serve(bot, token))
        stopping = asyncio.create_task(ended.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if serving.done():
            serving.result()
        else:
            log.info("stopping")
            await bot.close()
            serving.cancel()  # it may be waiting for the end of an outage
            with contextlib.suppress(asyncio.CancelledError):
                await serving
    if bot.stopped_by is not None:
        raise bot.stopped_by


def told_to_end() -> asyncio.Event:
    """Return an event of the running loop that SIGINT and SIGTERM set from now on."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    return ended


def watched(bot: Pastiche) -> contextlib.AbstractAsyncContextManager[object]:
    """Return a block in which the bot's metrics and its health are served, if the host chose an address.

    That begins before the login: while Discord is away, the bot is alive and not ready.

    Raises:
        SettingsError: nothing can be served on the address.
    """
    settings = bot.settings
    gateway = parts.connected(bot.gateway.seen_at, settings.health_max_age_s)
    readiness = Readiness({"gateway": gateway} | _parts(bot.database, bot.queue, bot.storage))
    sources = Sources("bot", bot.metrics, bot.database, settings.data_dir, bot.heartbeat)
    sources.add_discord(bot, bot.gateway.seen_at)
    return served(settings.metrics_address, bot.metrics, readiness, sources.look)


def _parts(database: Database, queue: JobQueue, storage: Storage) -> dict[str, Check]:
    """What every process needs."""
    return {"database": parts.answering(database), "queue": queue.look, "storage": storage.ready}


def work_until_told(settings: Settings, *, once: bool = False) -> str:
    """Run the trainings of the queue until SIGINT or SIGTERM, then end in order.

    Args:
        settings: settings of the host.
        once: whether to take one job only, and to end at once if none waits.

    Returns:
        One line that says why it ended.

    Raises:
        SettingsError: another worker has this name, another process works with other tables, the queue is
            another project's, nothing can be served on the address for metrics, the storage cannot be used,
            or this installation cannot train.
        DatabaseError: the database cannot be used.
        Superseded: a later process has taken this one's name.
    """
    require_trainer()
    metrics = Metrics()
    database = Database(settings.database_url, metrics.transaction)
    queue = JobQueue(settings, database)
    ended = threading.Event()
    lost: list[Superseded] = []

    def superseded(reason: Superseded) -> None:
        lost.append(reason)
        ended.set()

    jobs = JobWorker(
        settings, database, queue, kind=WORKER, once=once, superseded=superseded, metrics=metrics
    )
    heartbeat = Layout(settings.data_dir).heartbeat_of(WORKER, own_name(settings, WORKER))
    readiness = Readiness(_parts(database, queue, jobs.storage))

    async def work() -> str:
        async with worker.watched(settings, heartbeat, metrics, database, readiness) as looks:
            await asyncio.to_thread(jobs.start)
            looks.begin()
            return await asyncio.to_thread(_wait_until, ended, jobs, database, once=once)

    with contextlib.ExitStack() as ending:
        ending.callback(database.dispose)
        ending.callback(queue.close)
        ending.callback(jobs.stop)
        jobs.claim()
        ending.enter_context(upgraded(settings))
        starting.prepare(jobs.storage, database)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        line = asyncio.run(work())
    if lost:
        raise lost[0]
    return line


def _wait_until(ended: threading.Event, jobs: JobWorker, database: Database, *, once: bool) -> str:
    """Wait until told to end, or if `once` until a training is done; return one line that says why."""
    tidy_at = time.monotonic() + TIDY_EVERY_S
    while not ended.wait(ONCE_LOOKS_EVERY_S if once else TIDY_EVERY_S):
        with contextlib.suppress(DatabaseError):  # it comes back, or the process is told to end
            if once and jobs.is_idle():
                return "one job is done" if jobs.took_a_job() else "no job waits"
        if time.monotonic() >= tidy_at:
            tidy_at = time.monotonic() + TIDY_EVERY_S
            _tidy(database, jobs.storage)
    return "told to end"


def _tidy(database: Database, storage: Storage) -> None:
    """Delete what killed processes left on this host."""
    try:
        orphans.sweep_here(database, storage, utc_now())
    except (DatabaseError, OSError) as error:
        log.warning("housekeeping put off", error=str(error))
