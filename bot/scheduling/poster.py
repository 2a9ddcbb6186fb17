"""Finds slots that are due, and attempts to post each of them in a task of its own.

The rows are the truth: whatever has not ended there is attempted again, after a crash as after an outage.
"""

import asyncio
import datetime
import functools
import secrets
from collections.abc import Callable

import discord
import structlog
from sqlalchemy.orm import Session

from bot.errors import UserError
from bot.generation.pool import SamplerPool
from bot.generation.request import MAX_RANDOM_SEED
from bot.guilds.time_zones import zone_named
from bot.scheduling.clock_jumps import ClockJumps, set_back
from bot.scheduling.delivery import Delivery
from bot.scheduling.due_posts import Slot
from bot.scheduling.notices import Notices
from bot.scheduling.parser import read_rule
from bot.scheduling.slots import due_slots
from models import Database, DatabaseError, PostState, Schedule, ScheduledPost, scheduled_posts, schedules
from models.tables import utc_now

log = structlog.stdlib.get_logger(__name__)

# At nine o'clock many are due: more than this wait for the next look. A channel has one at a time, so that
# one in which Discord lets the bot wait holds up its own alone.
AT_ONCE = 32
LOOKED_AT = 100
REMEMBERED = datetime.timedelta(days=30)
# A post out of turn that cannot be sent within this is given up.
OUT_OF_TURN = datetime.timedelta(minutes=5)
FIRST_PAUSE = datetime.timedelta(seconds=5)
LONGEST_PAUSE = datetime.timedelta(minutes=5)
# Nothing is sent so late; the attempt only records that.
GIVEN_UP_AFTER = datetime.timedelta(minutes=10)
SHUTDOWN_S = 5.0


class Poster:
    """The bot's scheduled posts.

    Args:
        client: the bot, for its channels.
        database: where schedules and slots are.
        pool: to sample with.
        buttons: what stands below a post of a schedule, by the schedule's id.
        now: the present moment.

    Attributes:
        now: the clock; a test sets another one.
    """

    def __init__(
        self,
        client: discord.Client,
        database: Database,
        pool: SamplerPool,
        buttons: Callable[[int], discord.ui.View],
        now: Callable[[], datetime.datetime] = utc_now,
    ) -> None:
        self.now = now
        self._client = client
        self._database = database
        self._delivery = Delivery(client, database, pool, lambda: self.now(), buttons)
        self._closing = False
        self._running: dict[Slot, int] = {}
        self._attempts: set[asyncio.Task[None]] = set()
        self._failures: dict[Slot, tuple[int, datetime.datetime]] = {}
        self._jumps = ClockJumps()
        self._notices = Notices(client, database)
        self._waiting: dict[Slot, asyncio.Future[None]] = {}

    async def close(self) -> None:
        """Let attempts that are under way end, for some seconds; the rest is left to the next start."""
        self._closing = True
        await self._notices.close()
        if self._attempts:
            _ended, late = await asyncio.wait(self._attempts, timeout=SHUTDOWN_S)
            for attempt in late:
                attempt.cancel()

    async def tick(self) -> None:
        """Do all that is due by now."""
        if self._closing or not self._client.is_ready():
            return
        base = self._jumps.look(self.now())
        if base is not None:
            await asyncio.to_thread(set_back, self._database, base, self.now())
            self._failures.clear()
        await asyncio.to_thread(self._take_due)
        away = {guild.id for guild in self._client.guilds if guild.unavailable}
        await self._take_up_all(away)
        await self._notices.tell(away)

    async def post_now(
        self, guild_id: int, schedule_id: int, *, by: int, wait_s: float
    ) -> ScheduledPost | None:
        """Post once out of turn, and wait a while for what comes of it.

        Returns:
            The row; None if the schedule is not one of this guild's, or is posting at this very second.
        """
        now = self.now().replace(microsecond=0)
        slot = (guild_id, schedule_id, now)

        def add(session: Session) -> ScheduledPost | None:
            if schedules.get(session, guild_id, schedule_id) is None:
                return None
            return scheduled_posts.add(
                session,
                *slot,
                random_seed=_drawn(),
                expires_at=now + OUT_OF_TURN,
                requested_by=by,
            )

        done = self._waiting[slot] = asyncio.get_running_loop().create_future()
        try:
            if await self._database.call(add, write=True) is None:
                return None
            self._begin(slot, channel=0)  # which holds up no other
            await asyncio.wait({done}, timeout=wait_s)
        finally:
            self._waiting.pop(slot, None)
        return await self._database.call(scheduled_posts.get, *slot)

    def _begin(self, slot: Slot, channel: int) -> None:
        """Attempt a slot in a task of its own, unless one is at it."""
        if self._closing or slot in self._running:
            return
        self._running[slot] = channel
        task = asyncio.create_task(self._attempt(slot))
        self._attempts.add(task)
        task.add_done_callback(self._attempts.discard)

    async def _attempt(self, slot: Slot) -> None:
        done = False
        try:
            done = await self._delivery.attempt(slot)
        except DatabaseError as error:
            log.warning("a post is put off", schedule=slot[1], error=str(error))
        except Exception as error:
            log.error("a post failed unexpectedly", schedule=slot[1], exc_info=error)
        finally:
            self._running.pop(slot, None)
        if done:
            self._failures.pop(slot, None)
            waiting = self._waiting.get(slot)
            if waiting is not None and not waiting.done():
                waiting.set_result(None)
        else:
            self._try_later(slot)

    def _try_later(self, slot: Slot) -> None:
        count, _ = self._failures.get(slot, (0, None))
        pause = min(FIRST_PAUSE * 2**count, LONGEST_PAUSE)
        self._failures[slot] = (min(count + 1, 16), self.now() + pause)

    async def _take_up_all(self, away: set[int]) -> None:
        """Begin with slots that have not ended, in fair turns: one a channel, so many in all."""
        now = self.now()
        busy = set(self._running.values())
        # Whatever pauses or is busy takes no room from what could begin.
        look_up = functools.partial(
            scheduled_posts.ready, away=away, limit=LOOKED_AT + len(self._failures) + len(self._running)
        )
        for post, channel in await self._database.call(look_up, now):
            slot = (post.guild_id, post.schedule_id, post.slot)
            if slot in self._running or (slot in self._failures and self._failures[slot][1] > now):
                continue
            expired = now > post.expires_at + GIVEN_UP_AFTER  # nothing is sent any more
            if expired or (channel not in busy and len(self._running) < AT_ONCE):
                busy.add(channel)
                self._begin(slot, channel)

    def _take_due(self) -> None:
        now = self.now()
        with self._database.read() as session:
            due = schedules.due(session, now)
        for schedule in due:
            try:
                self._take(schedule, now)
            except UserError as error:
                # What an older version took and this one cannot read does not get better by itself.
                with self._database.write() as session:
                    schedules.pause(session, schedule.guild_id, schedule.id, reason=str(error), notice=True)
            except Exception as error:
                log.error("a schedule cannot be advanced", schedule=schedule.id, exc_info=error)

    def _take(self, schedule: Schedule, now: datetime.datetime) -> None:
        """Move a schedule past its slots that have come, and record them."""
        first = schedule.next_slot
        if first is None:
            return
        found = due_slots(
            read_rule(schedule.rule), first, now, zone_named(schedule.timezone), schedule.anchor
        )
        with self._database.write() as session:
            moved = schedules.advance(
                session, schedule.guild_id, schedule.id, expected=first, next_slot=found.following
            )
            if moved is None:
                return
            states = dict.fromkeys(found.missed, PostState.MISSED)
            if found.post is not None:
                states[found.post] = PostState.DUE
            for slot, state in states.items():
                scheduled_posts.add(
                    session,
                    schedule.guild_id,
                    schedule.id,
                    slot,
                    random_seed=_drawn(),
                    expires_at=found.expires_at,
                    state=state,
                )
            if not found.missed:  # else the clock may be wrong, and what was posted is not to come again
                scheduled_posts.forget(session, schedule.guild_id, schedule.id, before=now - REMEMBERED)
        if found.missed:
            log.info("slots missed", schedule=schedule.id, missed=len(found.missed))


def _drawn() -> int:
    return secrets.randbelow(MAX_RANDOM_SEED + 1)
