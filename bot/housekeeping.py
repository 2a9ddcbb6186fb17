"""Deletes by itself what was kept long enough: old texts, and all of servers that removed the bot."""

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta

import discord
import structlog
from discord.ext import commands, tasks

from bot import erasure, orphans
from bot.app import Pastiche
from bot.layout import Layout
from bot.privacy_statement import Stored
from models import Database, DatabaseError, retention

log = structlog.stdlib.get_logger(__name__)

# Settings keep the day on which a server removed the bot; their own module states them.
STORES: tuple[Stored, ...] = ()

KEPT_AFTER_REMOVAL = timedelta(days=30)


def note_presence(database: Database, present: Collection[int], now: datetime) -> None:
    """Record which servers removed the bot, also while it was offline, and which are back."""
    with database.write() as session:
        left, back = retention.note_presence(session, present, now)
    if left or back:
        log.info("servers left and come back", left=sorted(left), back=sorted(back))


def purge(database: Database, layout: Layout, now: datetime) -> list[int]:
    """Delete all of the servers that removed the bot long enough ago, and return which these were."""
    with database.read() as session:
        gone = list(retention.left_before(session, now - KEPT_AFTER_REMOVAL))
    for guild_id in gone:
        erasure.erase_guild(database, layout, guild_id, now)
        log.info("data of a server that removed the bot is deleted", guild=guild_id)
    return gone


def tidy(database: Database, layout: Layout, now: datetime) -> None:
    """Finish deletions that a crash interrupted, delete texts that are kept no longer, and what was left."""
    erasure.carry_out_removals(database, layout, now)
    expired = erasure.expire_texts(database, layout, now)
    if expired:
        log.info("old texts deleted", texts=expired)
    orphans.sweep(database, layout, now)


class Housekeeping(commands.Cog):
    """Looks once an hour."""

    def __init__(self, bot: Pastiche) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        """Finish what was interrupted before anybody can ask for anything."""
        await asyncio.to_thread(
            erasure.carry_out_removals, self.bot.database, self.bot.layout, discord.utils.utcnow()
        )
        self.every_hour.start()

    async def cog_unload(self) -> None:
        """Stop looking."""
        self.every_hour.cancel()

    @tasks.loop(hours=1)
    async def every_hour(self) -> None:
        """Look; a fault of the database or the disk must not end the loop."""
        now = discord.utils.utcnow()
        database, layout = self.bot.database, self.bot.layout
        try:
            present = {guild.id for guild in self.bot.guilds}
            await asyncio.to_thread(note_presence, database, present, now)
            await asyncio.to_thread(tidy, database, layout, now)
            # Discord may tell of some servers late after a start, so nothing is purged in the first hour.
            if self.every_hour.current_loop > 0:
                await asyncio.to_thread(purge, database, layout, now)
        except (DatabaseError, OSError) as error:
            log.warning("housekeeping put off", error=str(error))

    @every_hour.before_loop
    async def _ready(self) -> None:
        await self.bot.wait_until_ready()

    @every_hour.error
    async def _failed(self, error: BaseException) -> None:
        log.error("housekeeping failed and starts again", exc_info=error)
        self.every_hour.restart()


async def setup(bot: Pastiche) -> None:
    """Called by discord.py when the extension is loaded."""
    await bot.add_cog(Housekeeping(bot))
