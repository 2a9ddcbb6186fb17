"""`pastiche demo`: the real bot in a simulated Discord, with a page in the browser.

Nothing of the bot is mocked: commands, trainings, samplers and the database are those of `run`. The simulated
clock stands still by itself, so it is advanced while a training runs.
"""

import asyncio
import contextlib
import os
import zoneinfo
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import discord
import simcord
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from bot.app import create_bot, told_to_end
from bot.bundles.publishing import publish_bundle
from bot.client import Pastiche
from bot.commands.background.welcome import welcome
from bot.demo.clock import keep_current
from bot.demo.page import improved
from bot.infra.logs import configure_logs
from bot.infra.paths import Layout
from bot.settings import Settings, SettingsError, load_settings
from bot.training.bases import on_this_host
from bot.training.trainer.process import TrainingOrder, run_trainer
from models import text_models
from models.tables import utc_now
from textgen.corpus import shakespeare

# Lower than any id that SimCord makes, so that it is free in every run.
GUILD_ID = 1_015_000_000_000_000_000
MODEL_NAME = "Shakespeare"
FIRST_JOB = "first"
TOPIC = "Ada manages this server, Ben does not. Try /generate, /train, /models, /schedule, /help."


def play(*, port: int, training_s: float) -> None:
    """Train the first model if there is none yet, then serve the page until Ctrl-C.

    Raises:
        SettingsError: the first training failed; the text has the reason.
    """
    settings = demo_settings(load_settings())
    settings.prepare_data_dir()
    configure_logs(settings)
    console = Console()
    try:
        prepare(settings, console, training_s=training_s)
    except KeyboardInterrupt:
        console.print("Stopped. Another `pastiche demo` goes on with the training.")
        return
    asyncio.run(_serve(settings, console, port))
    console.print("The playground is closed.")


def demo_settings(settings: Settings) -> Settings:
    """Return the host's settings, with a data directory and databases of the playground, without a token.

    It offers every pretrained base that is there, unless the host names some.
    """
    data_dir = settings.data_dir / "demo"
    places = {"data_dir", "database_url", "jobs_database_url"}
    own = {*places, "discord_token", "log_level", "name", "bases", "storage", "shards", "shard_ids"}
    return load_settings(
        **settings.model_dump(exclude=own),
        bases=settings.bases or on_this_host(),
        data_dir=data_dir,
        database_url=f"sqlite:///{data_dir / 'pastiche.sqlite'}",
        jobs_database_url=f"sqlite:///{data_dir / 'jobs.sqlite'}",
        storage="",
        discord_token="",
        log_level="WARNING",
        name="demo",
    )


def prepare(settings: Settings, console: Console, *, training_s: float) -> None:
    """Train the first model, unless an earlier run did.

    Raises:
        SettingsError: the training failed; the text has the reason.
    """
    layout = Layout(settings.data_dir)
    directory, bundle = layout.training(GUILD_ID, FIRST_JOB), layout.bundle(GUILD_ID, FIRST_JOB)
    if bundle.is_dir():
        return
    console.print(
        f"Training a small model on Shakespeare's tragedies for {training_s:.0f} s; this happens once."
    )
    shakespeare.write(directory, force=True)  # the folder is the bot's own
    bundle.parent.mkdir(parents=True, exist_ok=True)
    order = TrainingOrder(directory, bundle, training_s, settings.training_threads)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("starting the trainer", total=1.0)

        def show(event: dict[str, Any]) -> None:
            if event["event"] == "progress":
                progress.update(
                    task, completed=event["fraction"], description=f"loss {event['loss']:.2f} nats"
                )

        end = run_trainer(order, on_event=show, should_stop=lambda: None)
        progress.update(task, completed=1.0)
    if end.finished is None:
        raise SettingsError(f"the first training failed: {end.error}")


def publish_first_model(bot: Pastiche, made_by: int) -> None:
    """Publish the bundle that `prepare` trained, unless the server has a model of that name."""
    bundle = bot.layout.bundle(GUILD_ID, FIRST_JOB)
    with bot.database.write() as session:
        if text_models.by_name(session, GUILD_ID, MODEL_NAME) is not None:
            return
        publish_bundle(session, GUILD_ID, bundle, name=MODEL_NAME, created_by=made_by)


async def _serve(settings: Settings, console: Console, port: int) -> None:
    ended = told_to_end()
    async with playground(settings, port=port) as page:
        console.print(f"\nThe playground is open: [bold]{page.url}[/bold]", soft_wrap=True)
        console.print("Type /generate, /train or /models there; Ctrl-C closes it.")
        closed = asyncio.create_task(page.wait_closed())
        stopped = asyncio.create_task(ended.wait())
        await asyncio.wait({closed, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (closed, stopped):
            task.cancel()


def own_time_zone() -> str:
    """Return the name of this machine's time zone, which is the page's reader's; UTC if it is unknown."""
    name = os.environ.get("TZ") or str(Path("/etc/localtime").resolve()).rpartition("zoneinfo/")[2]
    return name if name in zoneinfo.available_timezones() else "UTC"


def simulated_bot(settings: Settings) -> Pastiche:
    """Return the bot for a simulated Discord, which also serves the uploads."""
    bot = create_bot(settings)

    async def download(url: str) -> AsyncGenerator[bytes, None]:
        yield await bot.http.get_from_cdn(url)

    bot.download = download
    return bot


@contextlib.asynccontextmanager
async def playground(settings: Settings, *, port: int = 0) -> AsyncIterator[simcord.Preview]:
    """Run the bot in a simulated Discord with one server, and serve its page on loopback.

    Args:
        settings: settings of the playground, see `demo_settings`.
        port: port of the page; 0 takes a free one.
    """
    bot = simulated_bot(settings)
    env = simcord.Env(bot, settle_timeout=60)
    # SimCord's clock begins in 2026; the page must show today's dates.
    env.backend.clock.advance((utc_now() - env.backend.clock.now()).total_seconds())
    await env.start()
    try:
        if bot.user is not None:
            await bot.user.edit(username="Pastiche")
            await asyncio.to_thread(publish_first_model, bot, bot.user.id)
        # The server is greeted below at every start, because the bot itself greets a server once.
        await bot.presence.arrived([GUILD_ID])
        guild = env.create_guild("The Globe", id=GUILD_ID)
        channel = guild.create_text_channel("writing-room", topic=TOPIC)
        managers = guild.create_role("Manager", permissions=discord.Permissions(manage_guild=True))
        viewers = (
            guild.add_member(env.create_user("ada", global_name="Ada"), roles=[managers]),
            guild.add_member(env.create_user("ben", global_name="Ben")),
        )
        # The page loses its messages when it is closed, so the welcome is sent at every start.
        await bot.get_partial_messageable(channel.id, guild_id=GUILD_ID).send(embed=welcome())
        preview = env.preview(channel, viewers=viewers, layout="channel", port=port, timezone=own_time_zone())
        async with improved(preview, port) as page:
            ticking = asyncio.create_task(keep_current(env, page, bot.database, channel))
            try:
                yield page
            finally:
                ticking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await ticking
    finally:
        await bot.close()
        await env.shutdown()
