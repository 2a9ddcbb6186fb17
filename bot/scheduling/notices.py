"""Tells a channel once that its schedule was paused, with retries if Discord refuses for now."""

import functools
import time

import aiohttp
import discord
import structlog

from bot import i18n
from bot.embeds.schedule_card import notice
from bot.guilds.public_language import public_language
from bot.infra.discord.refusals import EMPTY_MESSAGE, is_passing, reopening
from bot.infra.discord.task_per_target import Lanes, patiently
from bot.text import hidden_words
from bot.text.plain_embed import plain_text
from models import EVERY_GUILD, Database, Schedule, ScheduleState, ServedShards, guilds, schedules

log = structlog.stdlib.get_logger(__name__)

AT_ONCE = 16
LOOKED_AT = 20
PATIENCE_S = 2.0
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0
# About half an hour. A channel that the bot cannot write to for longer is not told.
ATTEMPTS = 12


class Notices:
    """Sends the notices, with one task per channel.

    Args:
        client: the bot; it sends to the channels.
        database: holds the schedules.
        served: the guilds whose channels are told.
    """

    def __init__(
        self, client: discord.Client, database: Database, served: ServedShards = EVERY_GUILD
    ) -> None:
        self._served = served
        self._client = client
        self._database = database
        self._lanes = Lanes(AT_ONCE)
        self._failures: dict[int, tuple[int, float]] = {}

    async def tell(self, away: set[int]) -> None:
        """Start to send the notices that are due; slow ones continue in the background.

        Args:
            away: Discord ids of guilds that cannot be told now.
        """
        limit = LOOKED_AT + len(self._failures) + len(self._lanes.busy)
        begun = []
        now = time.monotonic()
        look_up = functools.partial(schedules.to_tell, limit=limit, away=away, served=self._served)
        due = await self._database.call(look_up)
        if len(due) < limit:  # these are all: the others were resumed or removed
            for schedule_id in self._failures.keys() - {schedule.id for schedule in due}:
                del self._failures[schedule_id]
        for schedule in due:
            pausing = schedule.id in self._failures and self._failures[schedule.id][1] > now
            if not pausing and self._lanes.is_free(schedule.channel_id):
                begun.append(self._lanes.start(schedule.channel_id, self._tell(schedule)))
        await patiently(begun, PATIENCE_S)

    async def close(self) -> None:
        """Stop; the next start sends the rest."""
        await self._lanes.close()

    async def _tell(self, schedule: Schedule) -> None:
        known = await self._database.call(schedules.get, schedule.guild_id, schedule.id)
        if known is None or known.state is not ScheduleState.PAUSED or not known.notice_due:
            return
        settings = await self._database.call(guilds.settings_of, known.guild_id)
        hidden_words.current.set(settings.hidden_words)
        i18n.locale.set(public_language(settings, self._client.get_guild(known.guild_id)))
        try:
            await reopening(self._client, known.channel_id, functools.partial(self._send, known))
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            count, _until = self._failures.get(known.id, (0, 0.0))
            lasting = isinstance(error, discord.HTTPException) and not is_passing(error)
            if not lasting and count + 1 < ATTEMPTS:
                pause_s = min(FIRST_PAUSE_S * 2**count, LONGEST_PAUSE_S)
                self._failures[known.id] = count + 1, time.monotonic() + pause_s
                return
            log.info("a pause cannot be told", schedule=known.id, error=str(error))
        self._failures.pop(known.id, None)
        await self._database.call(schedules.told, known.guild_id, known.id, write=True)

    async def _send(self, schedule: Schedule) -> None:
        channel = self._client.get_partial_messageable(schedule.channel_id, guild_id=schedule.guild_id)
        embed = notice(schedule)
        # The nonce prevents a second message if the confirmation of the first was lost.
        nonce = f"p{schedule.id}-{int(schedule.updated_at.timestamp())}"
        try:
            await channel.send(embed=embed, nonce=nonce)
        except discord.HTTPException as error:
            if error.code != EMPTY_MESSAGE:
                raise
            await channel.send(plain_text(embed), nonce=nonce)
