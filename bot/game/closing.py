"""Tells the solution of rounds whose time is over, also of those that a restart or an outage delayed.

The rows are the truth: a round stays until its solution is told. If Discord will never take the solution,
because the message or the channel is gone, the round ends without it.
"""

import datetime
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import discord
import structlog
from sqlalchemy.orm import Session

from bot import i18n
from bot.game.cards import solution_card
from bot.infra.discord.refusals import is_busy, reopening
from bot.infra.discord.task_per_target import Lanes, patiently
from bot.text import hidden_words
from models import EVERY_GUILD, Database, GameRound, ServedShards, games, guilds, text_models
from models.games import Tally

log = structlog.stdlib.get_logger(__name__)

AT_ONCE = 16
LOOKED_AT = 40
PATIENCE_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 3.0, 120.0
# Nobody waits for the solution of a round for longer.
WORTH_TELLING = datetime.timedelta(days=1)


@dataclass(frozen=True)
class _Over:
    """A round whose time is over, and what its solution is made from."""

    row: GameRound
    model_name: str | None
    said: Tally
    listed: str


class Closer:
    """Ends rounds, with one task per channel.

    Args:
        client: the bot; it edits the messages.
        database: holds the rounds.
        now: returns the present moment (aware).
        served: the servers whose rounds are ended.
    """

    def __init__(
        self,
        client: discord.Client,
        database: Database,
        now: Callable[[], datetime.datetime],
        served: ServedShards = EVERY_GUILD,
    ) -> None:
        self._client, self._database, self._now, self._served = client, database, now, served
        self._lanes = Lanes(AT_ONCE)
        self._failures: dict[int, tuple[int, float]] = {}

    async def tick(self) -> None:
        """Tell the solutions that are due; slow ones continue in the background."""
        limit = LOOKED_AT + len(self._failures) + len(self._lanes.busy)
        look_up = functools.partial(games.due, limit=limit, served=self._served)
        found = await self._database.call(look_up, self._now())
        self._failures = {row.id: self._failures[row.id] for row in found if row.id in self._failures}
        begun = []
        for row in found:
            guild = self._client.get_guild(row.guild_id)
            away = guild is not None and guild.unavailable
            waits = row.id in self._failures and self._failures[row.id][1] > time.monotonic()
            if not away and not waits and self._lanes.is_free(row.channel_id):
                begun.append(self._lanes.start(row.channel_id, self._end(row)))
        await patiently(begun, PATIENCE_S)

    async def close(self) -> None:
        """Stop; the next start ends the rest."""
        await self._lanes.close()

    async def _end(self, row: GameRound) -> None:
        over = await self._database.call(_look_up, row.guild_id, row.id)
        if over is None:
            return
        try:
            await self._tell(over)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            lasting = isinstance(error, discord.HTTPException) and not is_busy(error)
            if not lasting and self._now() - row.closes_at < WORTH_TELLING:
                count, _until = self._failures.get(row.id, (0, 0.0))
                pause_s = min(FIRST_PAUSE_S * 2**count, LONGEST_PAUSE_S)
                self._failures[row.id] = min(count + 1, 16), time.monotonic() + pause_s
                log.info("a solution is told later", round=row.id, error=repr(error))
                return
            log.info("a solution cannot be told", round=row.id, error=repr(error))
        await self._database.call(games.end, row.guild_id, row.id, write=True)

    async def _tell(self, over: _Over) -> None:
        row = over.row
        if row.message_id is None:  # the bot ended before the message was sent, or recorded
            return
        hidden_words.current.set(over.listed)
        i18n.locale.set(row.locale)
        channel = self._client.get_partial_messageable(row.channel_id, guild_id=row.guild_id)
        message = channel.get_partial_message(row.message_id)
        card = solution_card(row, over.model_name, over.said)
        await reopening(self._client, row.channel_id, lambda: message.edit(embeds=[card], view=None))


def _look_up(session: Session, guild_id: int, round_id: int) -> _Over | None:
    row = games.get(session, guild_id, round_id)
    if row is None:
        return None
    model = None if row.model_id is None else text_models.get(session, guild_id, row.model_id)
    listed = guilds.settings_of(session, guild_id).hidden_words
    name = None if model is None else model.name
    return _Over(row, name, games.tally(session, guild_id, round_id), listed)
