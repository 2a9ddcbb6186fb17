"""Which servers the bot is in: joining, leaving and outages, told apart in one place.

A server that is unavailable has not removed the bot: Discord only has an outage. Where it says that a server
is removed, that is believed at once only of one that was available; of others, and of those that it does not
list, it is asked. What it does not answer is asked again an hour later.
"""

import asyncio
import datetime
from collections.abc import Callable, Iterable

import aiohttp
import discord
import structlog
from sqlalchemy.orm import Session

from bot.guilds.member_names import Names
from bot.i18n import _
from bot.infra.discord.refusals import MISSING_ACCESS, UNKNOWN_GUILD
from models import Database, TrainingJob, audit, guilds, retention, schedules, training_jobs

log = structlog.stdlib.get_logger(__name__)


async def is_member(client: discord.Client, guild_id: int) -> bool | None:
    """Whether the bot is in a server, as Discord itself says; None where it does not say, for now."""
    try:
        await client.http.get_guild(guild_id, with_counts=False)
    except discord.HTTPException as error:
        return False if error.code in (UNKNOWN_GUILD, MISSING_ACCESS) else None
    except (aiohttp.ClientError, OSError):
        return None
    return True


class Presence:
    """Keeps the marks of servers that removed the bot, and stops what goes on for them.

    Args:
        client: knows the servers.
        database: where the marks are.
        clear: takes away the files of a training that did not begin; it blocks.
        names: of members, forgotten with their server.
        now: the clock.
    """

    def __init__(
        self,
        client: discord.Client,
        database: Database,
        clear: Callable[[TrainingJob], object],
        names: Names,
        now: Callable[[], datetime.datetime],
    ) -> None:
        self._client = client
        self._database = database
        self._clear = clear
        self._names = names
        self._now = now

    async def arrived(self, guild_id: int) -> bool:
        """Note that the bot is in a server, and say whether it is to be greeted."""
        return await self._database.call(_arrive, guild_id, self._now(), write=True)

    async def removed(self, guild: discord.Guild) -> None:
        """Note that Discord took a server away from the bot, unless that was its outage."""
        if guild.unavailable and await is_member(self._client, guild.id) is not False:
            log.info("a server went during its outage, which may be no leaving", guild=guild.id)
            return
        await self._leave(guild.id)

    async def compare(self) -> tuple[list[int], list[int]]:
        """Bring the marks in line with the servers that the bot is in, whatever it missed.

        Returns:
            Those that are newly left, and those that are back.
        """
        here = {guild.id for guild in self._client.guilds}
        marks = await self._database.call(retention.presence_marks)
        back = [guild_id for guild_id, marked in marks.items() if marked and guild_id in here]
        for guild_id in back:
            await self._database.call(_return, guild_id, write=True)
        absent = [guild_id for guild_id, marked in marks.items() if not marked and guild_id not in here]
        left = [guild_id for guild_id in absent if await is_member(self._client, guild_id) is False]
        for guild_id in left:
            await self._leave(guild_id)
        return left, back

    async def confirmed_gone(self, guild_ids: Iterable[int]) -> list[int]:
        """Of servers that count as left those that Discord confirms; the mark of one that is back goes."""
        gone = []
        for guild_id in guild_ids:
            member = self._client.get_guild(guild_id) is not None or await is_member(self._client, guild_id)
            if member:
                await self._database.call(_return, guild_id, write=True)
            elif member is False:
                gone.append(guild_id)
        return gone

    async def _leave(self, guild_id: int) -> None:
        cancelled = await self._database.call(_leave, guild_id, self._now(), write=True)
        self._names.forget(guild_id)
        for job in cancelled:
            if job.started_at is None:  # else its trainer clears up itself
                await asyncio.to_thread(self._clear, job)
        log.info("left a server", guild=guild_id, cancelled=len(cancelled))


def _arrive(session: Session, guild_id: int, now: datetime.datetime) -> bool:
    """The mark is set before the message is sent: a crash in between costs a welcome, but never gives two."""
    known = guilds.edit(session, guild_id, removed_at=None)
    if known.welcomed_at is not None:
        return False
    guilds.edit(session, guild_id, welcomed_at=now)
    return True


def _return(session: Session, guild_id: int) -> None:
    guilds.edit(session, guild_id, removed_at=None)


def _leave(session: Session, guild_id: int, now: datetime.datetime) -> list[TrainingJob]:
    """Mark when, and stop what goes on: schedules do not start by themselves if the bot comes back."""
    guilds.edit(session, guild_id, removed_at=now)
    schedules.pause_all(session, guild_id, _("The bot was removed from the server."))
    cancelled = list(training_jobs.cancel_all(session, guild_id))
    for job in cancelled:
        reason = "the bot is no longer in the server"
        audit.record(session, guild_id, 0, "training.cancelled", job.model_name, reason=reason)
    return cancelled
