"""`pastiche run | demo | worker | migrate | check`; `run` when nothing is named.

Exit codes: 0 done; 1 one line `error: …`; 2 wrong usage.
"""

import asyncio
import contextlib
import signal
import sys
import threading
from collections.abc import Iterator

import click
import structlog

import migrations
from bot.app import create_bot
from bot.infra import health
from bot.infra.configuration import Settings, SettingsError, load_settings
from bot.infra.discord import connection
from bot.infra.discord.connection import ConnectionRefused
from bot.infra.logs import configure_logs
from bot.infra.paths import Layout
from bot.infra.upgrading import cannot_start, upgraded
from bot.training.jobs.queue import JobQueue
from bot.training.jobs.worker import JobWorker
from models import Database, DatabaseError

log = structlog.stdlib.get_logger(__name__)

WORKER = "worker"


@contextlib.contextmanager
def _one_line_errors() -> Iterator[None]:
    """Turn what the host can put right into one line and exit code 1."""
    try:
        yield
    except (SettingsError, DatabaseError, ConnectionRefused, health.Unhealthy) as error:
        reason: Exception = error
    except OSError as error:
        reason = cannot_start(error)
    else:
        return
    with contextlib.suppress(OSError):  # of a stderr that is closed or full
        click.echo(f"error: {reason}", err=True)
    sys.exit(1)


def _prepared() -> Settings:
    settings = load_settings()
    settings.prepare_data_dir()
    configure_logs(settings)
    return settings


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pastiche")
@click.pass_context
def main(context: click.Context) -> None:
    """A Discord bot that learns to write in the style of uploaded texts.

    Settings come from the environment or .env; .env.example lists them.
    """
    if context.invoked_subcommand is None:
        context.invoke(run)


@main.command()
def run() -> None:
    """Connect to Discord and serve until told to stop."""
    with _one_line_errors():
        settings = load_settings()
        token = settings.require_token()
        settings.prepare_data_dir()
        configure_logs(settings)
        asyncio.run(_serve(settings, token))


async def _serve(settings: Settings, token: str) -> None:
    """Run until SIGINT or SIGTERM, then end in order."""
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


@main.command()
def worker() -> None:
    """Run only the trainings of the queue, on this host."""
    with _one_line_errors():
        settings = _prepared()
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


@main.command(short_help="Bring the database to the current tables.")
def migrate() -> None:
    """Bring the database to the current tables; `run` and `worker` do so by themselves."""
    with _one_line_errors():
        settings = load_settings()
        settings.prepare_data_dir()
        upgraded(settings).close()
        click.echo(f"the database is at revision {migrations.current(settings.database_url)}")


@main.command(short_help="Say whether the bot is running and well.")
def check() -> None:
    """Exit with 0 if the bot of this data directory is running and well."""
    with _one_line_errors():
        settings = load_settings()
        click.echo(health.check(settings, Layout(settings.data_dir).heartbeat))


@main.command(short_help="Open the offline playground.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on loopback (0: a free one).")
@click.option(
    "--seconds",
    type=click.FloatRange(1, 3600),
    default=40.0,
    show_default=True,
    help="Time for the first training.",
)
def demo(port: int, seconds: float) -> None:
    """Open the offline playground: this bot in a simulated Discord, no token needed."""
    with _one_line_errors():
        try:
            from bot.demo.playground import play
        except ModuleNotFoundError as error:
            raise SettingsError(
                f"the playground needs the package {error.name}: pip install 'pastiche[demo]'"
            ) from None
        play(port=port, training_s=seconds)
