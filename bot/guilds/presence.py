"""Which servers the bot is in. The one place that tells joining, leaving and outages apart.

A server that is unavailable has not removed the bot: Discord has an outage. When Discord reports a server as
removed, that is believed at once only if the server was available before. Discord is asked about other
servers, and about those that it does not list. If it does not answer, it is asked again an hour later.

Discord tells a process of the servers of its own shards only. Servers of other shards are none of its
business: that they are not listed here says nothing.
"""

import asyncio
import datetime
import random
from collections.abc import Callable, Iterable

import aiohttp
import discord
import structlog
from sqlalchemy.orm import Session

from bot.guilds.member_names import Names
from bot.i18n import _
from bot.infra.discord.refusals import MISSING_ACCESS, UNKNOWN_GUILD
from models import (
    EVERY_GUILD,
    Database,
    ServedShards,
    TrainingJob,
    audit,
    guilds,
    retention,
    schedules,
    training_jobs,
)

log = structlog.stdlib.get_logger(__name__)

# A server that added the bot while it was not running is greeted at the next start, unless that is long ago.
GREETED_WITHIN = datetime.timedelta(days=7)
# If the database is another bot's, Discord knows none of its servers. It blocks an address that gets 10,000
# refusals within ten minutes.
ASKED_AT_A_TIME = 100


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
        served: the servers that this process looks after.
    """

    def __init__(
        self,
        client: discord.Client,
        database: Database,
        clear: Callable[[TrainingJob], object],
        names: Names,
        now: Callable[[], datetime.datetime],
        served: ServedShards = EVERY_GUILD,
    ) -> None:
        self._served = served
        # discord.py makes a new object for each server of a new session. With several shards it keeps
        # those of servers that the session does not name any more: doubted until Discord is asked.
        self._before: dict[int, dict[int, discord.Guild]] = {}
        self._doubted: dict[int, discord.Guild] = {}
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

    async def arrived(self, guild_ids: Iterable[int]) -> set[int]:
        """Record that the bot is in servers. Return those to greet, each of which is returned only once."""
        return await self._database.call(guilds.arrived, list(guild_ids), self._now(), write=True)

    def shard_lost(self, shard_id: int) -> None:
        """Note which servers a shard had when it lost its connection."""
        self._before[shard_id] = {
            guild.id: guild for guild in self._client.guilds if guild.shard_id == shard_id
        }

    def shard_resumed(self, shard_id: int) -> None:
        """Note that a shard's session goes on: nothing was missed."""
        self._before.pop(shard_id, None)

    async def removed(self, guild: discord.Guild) -> None:
        """Record that Discord reported a server as removed, unless that was an outage."""
        if guild.unavailable and await is_member(self._client, guild.id) is not False:
            log.info("a server went during its outage, which may be no leaving", guild=guild.id)
            return
        await self._leave(guild.id)

    async def compare(self, shard_id: int | None = None) -> tuple[list[int], list[int]]:
        """Correct the marks by the servers that the bot is in now, whatever events it missed.

        Args:
            shard_id: looks only at the servers of a shard whose new session has just begun; None looks at all
                that this process serves.

        Returns:
            Ids of the servers that removed the bot meanwhile, and of those that added it again.
        """
        served = self._served
        if shard_id is not None:
            served = ServedShards(getattr(self._client, "shard_count", None) or 1, frozenset({shard_id}))
            self._doubted |= self._before.pop(shard_id, {})
        self._doubted = {
            guild.id: guild for guild in self._doubted.values() if self._client.get_guild(guild.id) is guild
        }
        here = {guild.id for guild in self._client.guilds} - self._doubted.keys()
        marks = await self._database.call(retention.presence_marks, served)
        back = [guild_id for guild_id, marked in marks.items() if marked and guild_id in here]
        if back:
            await self._database.call(guilds.came_back, back, write=True)
        absent = [guild_id for guild_id, marked in marks.items() if not marked and guild_id not in here]
        return await self._left_of(absent), back

    async def _left_of(self, absent: list[int]) -> list[int]:
        """Ask Discord about servers that it does not list; mark and return those that removed the bot."""
        asked = random.sample(absent, min(len(absent), ASKED_AT_A_TIME))
        if len(asked) < len(absent):
            log.warning("more servers are gone than Discord is asked about at a time", gone=len(absent))
        answers = {guild_id: await is_member(self._client, guild_id) for guild_id in sorted(asked)}
        left = [guild_id for guild_id, member in answers.items() if member is False]
        for guild_id in left:
            await self._leave(guild_id)
        for guild_id in answers:
            if answers[guild_id] is not None:
                self._doubted.pop(guild_id, None)
        return left

    async def confirmed_gone(self, guild_ids: Iterable[int]) -> list[int]:
        """Return those of some marked servers that Discord confirms as left; unmark those that are back."""
        gone = []
        for guild_id in guild_ids:
            member = self._client.get_guild(guild_id) is not None or await is_member(self._client, guild_id)
            if member:
                await self._database.call(guilds.came_back, [guild_id], write=True)
            elif member is False:
                gone.append(guild_id)
        return gone

    async def _leave(self, guild_id: int) -> None:
        left_over = self._doubted.pop(guild_id, None)
        if left_over is not None:  # else the next look would take it for a server that came back
            self._client._connection._remove_guild(left_over)
        cancelled = await self._database.call(_leave, guild_id, self._now(), write=True)
        self._names.forget(guild_id)
        for job in cancelled:
            if job.started_at is None:  # else its trainer clears up itself
                await asyncio.to_thread(self._clear, job)
        log.info("left a server", guild=guild_id, cancelled=len(cancelled))


def _leave(session: Session, guild_id: int, now: datetime.datetime) -> list[TrainingJob]:
    """Mark when the bot left, and stop what goes on. Schedules stay paused if the bot comes back."""
    guilds.edit(session, guild_id, removed_at=now)
    schedules.pause_all(session, guild_id, _("The bot was removed from the server."))
    cancelled = list(training_jobs.cancel_all(session, guild_id))
    for job in cancelled:
        reason = "the bot is no longer in the server"
        audit.record(session, guild_id, 0, "training.cancelled", job.model_name, reason=reason)
    return cancelled
