"""The processes put together: the bot with its command tree and its commands, and the worker.

`create_bot` gives one that has not been started, for `run`, for tests and for the playground alike.
"""

import asyncio
import contextlib
import signal
import threading

import structlog

from bot.client import Pastiche
from bot.commands import COMMAND_MODULES
from bot.commands.tree import AnsweringTree
from bot.infra.discord import connection
from bot.infra.hosts.sign_of_life import WORKER, Superseded
from bot.infra.upgrading import upgraded
from bot.settings import Settings
from bot.training.jobs.queue import JobQueue
from bot.training.jobs.worker import JobWorker
from bot.views.schedule_buttons import post_view
from models import Database, DatabaseError

log = structlog.stdlib.get_logger(__name__)

ONCE_LOOKS_EVERY_S = 1.0


def create_bot(settings: Settings) -> Pastiche:
    """Return a bot that is ready to be started by `start(token)`, or by a simulated Discord.

    Args:
        settings: a token is needed only by who starts it for real.
    """
    return Pastiche(settings, COMMAND_MODULES, AnsweringTree, post_view)


def serve_until_told(settings: Settings, token: str) -> None:
    """Connect to Discord and serve until SIGINT or SIGTERM, then end in order.

    Raises:
        SettingsError: the host has to put something right.
        ConnectionRefused: Discord does not let the bot in.
        DatabaseError: the database cannot be used.
        Superseded: a later process has taken this one's name.
    """
    asyncio.run(_serve(settings, token))


async def _serve(settings: Settings, token: str) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    lost: list[Superseded] = []

    def superseded(reason: Superseded) -> None:
        lost.append(reason)
        loop.call_soon_threadsafe(ended.set)

    async with create_bot(settings) as bot:
        bot.superseded = superseded
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
    if lost:
        raise lost[0]


def work_until_told(settings: Settings, *, once: bool = False) -> str:
    """Run the trainings of the queue until SIGINT or SIGTERM, then end in order.

    Args:
        settings: settings of the host.
        once: whether to take one job only, and to end at once if none waits.

    Returns:
        One line that says why it ended.

    Raises:
        SettingsError: another worker has this name, another process works with other tables, or the queue is
            another project's.
        DatabaseError: the database cannot be used.
        Superseded: a later process has taken this one's name.
    """
    database = Database(settings.database_url)
    queue = JobQueue(settings, database)
    ended = threading.Event()
    lost: list[Superseded] = []

    def superseded(reason: Superseded) -> None:
        lost.append(reason)
        ended.set()

    jobs = JobWorker(settings, database, queue, kind=WORKER, once=once, superseded=superseded)
    with contextlib.ExitStack() as ending:
        ending.callback(database.dispose)
        ending.callback(queue.close)
        ending.callback(jobs.stop)
        jobs.claim()
        ending.enter_context(upgraded(settings))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        jobs.start()
        line = "told to end"
        while not ended.wait(ONCE_LOOKS_EVERY_S if once else None):
            with contextlib.suppress(DatabaseError):  # it comes back, or the process is told to end
                if jobs.is_idle():
                    line = "one job is done" if jobs.took_a_job() else "no job waits"
                    break
    if lost:
        raise lost[0]
    return line
