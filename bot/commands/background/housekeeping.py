"""Deletes data whose time is over: old texts, and all data of servers that removed the bot."""

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta

import discord
import structlog
from discord.ext import commands

from bot.client import Pastiche
from bot.infra.discord.loops import steadily
from bot.infra.storage.storage import Storage
from bot.privacy import erasure, orphans
from bot.training import quotas
from models import EVERY_GUILD, Database, DatabaseError, ServedShards, retention

log = structlog.stdlib.get_logger(__name__)

# Settings keep the day on which a server removed the bot; their own module states them.
KEPT_AFTER_REMOVAL = timedelta(days=30)


def left_for_good(database: Database, now: datetime, served: ServedShards = EVERY_GUILD) -> list[int]:
    """Ids of served servers that removed the bot at least `KEPT_AFTER_REMOVAL` ago."""
    with database.read() as session:
        return list(retention.left_before(session, now - KEPT_AFTER_REMOVAL, served))


def purge(database: Database, storage: Storage, gone: Collection[int], now: datetime) -> None:
    """Delete all data of servers; Discord has confirmed that they removed the bot."""
    for guild_id in gone:
        erasure.erase_guild(database, storage, guild_id, now)
        log.info("data of a server that removed the bot is deleted", guild=guild_id)


def tidy(database: Database, storage: Storage, now: datetime, served: ServedShards = EVERY_GUILD) -> None:
    """Finish interrupted deletions, measure old files, and delete expired texts and files of no row."""
    erasure.carry_out_removals(database, storage, now, of=served.owns)
    measured = quotas.measure_old_files(database, storage.layout, served)
    if measured:
        log.info("old files measured", files=measured)
    expired = erasure.expire_texts(database, storage, now, served)
    if expired:
        log.info("old texts deleted", texts=expired)
    orphans.sweep(database, storage, now, of=served.owns)


class Housekeeping(commands.Cog):
    """Deletes expired data once an hour."""

    def __init__(self, bot: Pastiche) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        """Finish interrupted deletions before the bot serves anyone."""
        await asyncio.to_thread(
            erasure.carry_out_removals,
            self.bot.database,
            self.bot.storage,
            discord.utils.utcnow(),
            of=self.bot.served.owns,
        )
        self.every_hour.start()

    async def cog_unload(self) -> None:
        """Stop the loop."""
        self.every_hour.cancel()

    @steadily("housekeeping", seconds=3_600)
    async def every_hour(self) -> None:
        """Delete what has expired; a fault of the database or the disk must not end the loop."""
        now = self.bot.clock()
        database, storage, served = self.bot.database, self.bot.storage, self.bot.served
        try:
            await self.bot.presence.compare()
            await asyncio.to_thread(tidy, database, storage, now, served)
            # Discord may tell of some servers late after a start, so nothing is purged in the first hour.
            if self.every_hour.current_loop > 0:
                left = await asyncio.to_thread(left_for_good, database, now, served)
                gone = await self.bot.presence.confirmed_gone(left)
                await asyncio.to_thread(purge, database, storage, gone, now)
        except (DatabaseError, OSError) as error:
            log.warning("housekeeping put off", error=str(error))

    @every_hour.before_loop
    async def _ready(self) -> None:
        await self.bot.wait_until_ready()


async def setup(bot: Pastiche) -> None:
    """Add the commands to the bot."""
    await bot.add_cog(Housekeeping(bot))
