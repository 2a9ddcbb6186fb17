"""Which servers the bot is in. The one place that tells joining, leaving and outages apart.

A server that is unavailable has not removed the bot: Discord has an outage. When Discord reports a server as
removed, that is believed at once only if the server was available before. Discord is asked about other
servers, and about those that it does not list. If it does not answer, it is asked again an hour later.
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

# A server that added the bot while it was not running is greeted at the next start, unless that is long ago.
GREETED_WITHIN = datetime.timedelta(days=7)


async def is_member(client: discord.Client, guild_id: int) -> bool | None:
    """Ask Discord whether the bot is in a server; None if Discord does not answer for now."""
    try:
        await client.http.get_guild(guild_id, with_counts=False)
    except discord.HTTPException as error:
        return False if error.code in (UNKNOWN_GUILD, MISSING_ACCESS) else None
    except (aiohttp.ClientError, OSError):
        return None
    return True


class Presence:
    """Records which servers removed the bot, stops what goes on for them, and finds servers to greet.

    Args:
        client: the bot; it knows the servers that Discord lists.
        database: holds the marks of servers.
        clear: deletes the files of a training that did not begin; it blocks.
        names: cached names of members, forgotten with their server.
        now: returns the present moment (aware).
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
        self._listed: set[int] | None = None

    def newcomers(self) -> list[discord.Guild]:
        """Return the servers that may not have been greeted; call it whenever the bot is connected.

        A server that was not listed when this process connected before is new, whatever its date says.
        """
        listed, self._listed = self._listed, {guild.id for guild in self._client.guilds}
        return [
            guild
            for guild in self._client.guilds
            if self.joined_lately(guild, since_ever=listed is not None and guild.id not in listed)
        ]

    def joined_lately(self, guild: discord.Guild, *, since_ever: bool = False) -> bool:
        """Whether the bot joined a server in the last days, or with `since_ever` at any time.

        False during an outage of the server: nothing is known of it until it is available again.
        """
        member = None if guild.unavailable else guild.me
        since = None if member is None else member.joined_at
        return since is not None and (since_ever or self._now() - since < GREETED_WITHIN)

    async def arrived(self, guild_id: int) -> bool:
        """Record that the bot is in a server. Return whether to greet it, which is true only once."""
        return await self._database.call(_arrive, guild_id, self._now(), write=True)

    async def removed(self, guild: discord.Guild) -> None:
        """Record that Discord reported a server as removed, unless that was an outage."""
        if guild.unavailable and await is_member(self._client, guild.id) is not False:
            log.info("a server went during its outage, which may be no leaving", guild=guild.id)
            return
        await self._leave(guild.id)

    async def compare(self) -> tuple[list[int], list[int]]:
        """Correct the marks by the servers that the bot is in now, whatever events it missed.

        Returns:
            Ids of the servers that removed the bot meanwhile, and of those that added it again.
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
        """Return those of some marked servers that Discord confirms as left; unmark those that are back."""
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
    """Mark the server before it is greeted: a crash in between may skip the welcome, but never sends two."""
    known = guilds.edit(session, guild_id, removed_at=None)
    if known.welcomed_at is not None:
        return False
    guilds.edit(session, guild_id, welcomed_at=now)
    return True


def _return(session: Session, guild_id: int) -> None:
    guilds.edit(session, guild_id, removed_at=None)


def _leave(session: Session, guild_id: int, now: datetime.datetime) -> list[TrainingJob]:
    """Mark when the bot left, and stop what goes on. Schedules stay paused if the bot comes back."""
    guilds.edit(session, guild_id, removed_at=now)
    schedules.pause_all(session, guild_id, _("The bot was removed from the server."))
    cancelled = list(training_jobs.cancel_all(session, guild_id))
    for job in cancelled:
        reason = "the bot is no longer in the server"
        audit.record(session, guild_id, 0, "training.cancelled", job.model_name, reason=reason)
    return cancelled
