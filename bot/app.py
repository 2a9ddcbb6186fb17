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
from bot.infra.upgrading import upgraded
from bot.settings import Settings
from bot.training.jobs.queue import JobQueue
from bot.training.jobs.worker import JobWorker
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
        SettingsError: the host has to put something right.
        ConnectionRefused: Discord does not let the bot in.
        DatabaseError: the database cannot be used.
    """
    asyncio.run(_serve(settings, token))


async def _serve(settings: Settings, token: str) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with create_bot(settings) as bot:
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


def work_until_told(settings: Settings) -> None:
    """Run the trainings of the queue until SIGINT or SIGTERM, then end in order.

    Raises:
        SettingsError: another worker has this name, or another process works with other tables.
        DatabaseError: the database cannot be used.
    """
    database = Database(settings.database_url)
    jobs = JobWorker(settings, database, executor_id=settings.executor_id or WORKER)
    jobs.claim()
    claim = upgraded(settings)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    jobs.start()
    queue = JobQueue(settings, database)
    queue.reconcile()
    ended.wait()
    queue.close()
    jobs.stop()
    database.dispose()
    claim.close()
