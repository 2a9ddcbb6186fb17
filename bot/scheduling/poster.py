"""Finds slots that are due, and posts each of them in a task of its own.

The rows are the truth: a slot that has not ended there is retried, after a crash and after an outage alike.
"""

import asyncio
import datetime
import functools
import secrets
from collections.abc import Callable

import discord
import structlog
from sqlalchemy.orm import Session

from bot import i18n
from bot.errors import UserError
from bot.generation.pool import SamplerPool
from bot.generation.request import MAX_RANDOM_SEED
from bot.guilds.time_zones import zone_named
from bot.infra.watching.metrics import Failure, Metrics
from bot.scheduling.clock_jumps import ClockJumps, set_back
from bot.scheduling.delivery import Delivery
from bot.scheduling.due_posts import Slot
from bot.scheduling.notices import Notices
from bot.scheduling.parser import read_rule
from bot.scheduling.slots import due_slots
from models import (
    EVERY_GUILD,
    Database,
    DatabaseError,
    PostState,
    Schedule,
    ScheduledPost,
    ServedShards,
    scheduled_posts,
    schedules,
)
from models.tables import utc_now

log = structlog.stdlib.get_logger(__name__)

# At nine o'clock many slots are due; the rest wait for the next tick. Each channel has one attempt at a time,
# so that a rate limit of one channel delays no other.
AT_ONCE = 32
LOOKED_AT = 100
REMEMBERED = datetime.timedelta(days=30)
# A run by hand that cannot be posted within this time is given up.
OUT_OF_TURN = datetime.timedelta(minutes=5)
FIRST_PAUSE = datetime.timedelta(seconds=5)
LONGEST_PAUSE = datetime.timedelta(minutes=5)
# So long after its expiry a slot is not sent any more; an attempt only records that.
GIVEN_UP_AFTER = datetime.timedelta(minutes=10)
SHUTDOWN_S = 5.0


class Poster:
    """The bot's scheduled posts.

    Args:
        client: the bot; it sends to the channels.
        database: holds the schedules and their slots.
        pool: the sampler processes.
        buttons: makes the buttons below a post, from the schedule's id.
        now: returns the present moment (aware).
        metrics: of this process.
        served: the guilds for which this process posts.

    Attributes:
        now: returns the present moment; tests replace it.
    """

    def __init__(
        self,
        client: discord.Client,
        database: Database,
        pool: SamplerPool,
        buttons: Callable[[int], discord.ui.View],
        now: Callable[[], datetime.datetime] = utc_now,
        metrics: Metrics | None = None,
        served: ServedShards = EVERY_GUILD,
    ) -> None:
        self.now = now
        self._metrics = metrics or Metrics()
        self._served = served
        self._client = client
        self._database = database
        self._delivery = Delivery(client, database, pool, lambda: self.now(), buttons)
        self._closing = False
        self._running: dict[Slot, int] = {}
        self._attempts: set[asyncio.Task[None]] = set()
        self._failures: dict[Slot, tuple[int, datetime.datetime]] = {}
        self._jumps = ClockJumps()
        self._notices = Notices(client, database, served)
        self._waiting: dict[Slot, asyncio.Future[None]] = {}

    async def close(self) -> None:
        """Wait some seconds for running attempts; the next start does the rest."""
        self._closing = True
        await self._notices.close()
        if self._attempts:
            _ended, late = await asyncio.wait(self._attempts, timeout=SHUTDOWN_S)
            for attempt in late:
                attempt.cancel()

    async def tick(self) -> None:
        """Post everything that is due now."""
        if self._closing or not self._client.is_ready():
            return
        base = self._jumps.look(self.now())
        if base is not None:
            await asyncio.to_thread(set_back, self._database, base, self.now(), self._served)
            self._failures.clear()
        await asyncio.to_thread(self._take_due)
        away = {guild.id for guild in self._client.guilds if guild.unavailable}
        await self._take_up_all(away)
        await self._notices.tell(away)

    async def post_now(
        self, guild_id: int, schedule_id: int, *, by: int, wait_s: float
    ) -> ScheduledPost | None:
        """Post once now, because a person ran the schedule by hand, and wait a while for the result.

        Returns:
            The row of the slot; None if the guild has no such schedule, or it already posts in this second.
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
            self._begin(slot, channel=0)  # so that it waits for no other channel
            await asyncio.wait({done}, timeout=wait_s)
        finally:
            self._waiting.pop(slot, None)
        return await self._database.call(scheduled_posts.get, *slot)

    def _begin(self, slot: Slot, channel: int) -> None:
        """Start a task that attempts a slot, unless one is running."""
        if self._closing or slot in self._running:
            return
        self._running[slot] = channel
        task = asyncio.create_task(self._attempt(slot))
        self._attempts.add(task)
        task.add_done_callback(self._attempts.discard)

    async def _attempt(self, slot: Slot) -> None:
        # Reasons are stored in English, also if somebody's command has begun this task.
        i18n.locale.set(i18n.ENGLISH)
        done = False
        try:
            done = await self._delivery.attempt(slot)
        except DatabaseError as error:
            log.warning("a post is put off", schedule=slot[1], error=str(error))
        except Exception as error:
            log.error("a post failed unexpectedly", schedule=slot[1], exc_info=error)
            self._metrics.failed(Failure.POST)
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
        """Start attempts of slots that have not ended: one per channel, and up to `AT_ONCE` in all."""
        now = self.now()
        busy = set(self._running.values())
        # Look at more rows than can start, because some of them wait for a retry or are running.
        limit = LOOKED_AT + len(self._failures) + len(self._running)
        look_up = functools.partial(scheduled_posts.ready, away=away, limit=limit, served=self._served)
        ready = await self._database.call(look_up, now)
        if len(ready) < limit:  # these are all, and rows of other failures are gone
            slots = {(post.guild_id, post.schedule_id, post.slot) for post, _channel in ready}
            for slot in self._failures.keys() - slots - self._running.keys():
                del self._failures[slot]
        for post, channel in ready:
            slot = (post.guild_id, post.schedule_id, post.slot)
            if slot in self._running or (slot in self._failures and self._failures[slot][1] > now):
                continue
            expired = now > post.expires_at + GIVEN_UP_AFTER  # it is not sent any more
            if expired or (channel not in busy and len(self._running) < AT_ONCE):
                busy.add(channel)
                self._begin(slot, channel)

    def _take_due(self) -> None:
        now = self.now()
        with self._database.read() as session:
            due = schedules.due(session, now, served=self._served)
        for schedule in due:
            try:
                self._take(schedule, now)
            except UserError as error:
                # A rule of an older version that this one cannot read stays unreadable.
                with self._database.write() as session:
                    schedules.pause(session, schedule.guild_id, schedule.id, reason=str(error), notice=True)
            except Exception as error:
                log.error("a schedule cannot be advanced", schedule=schedule.id, exc_info=error)

    def _take(self, schedule: Schedule, now: datetime.datetime) -> None:
        """Move a schedule past the slots that are due, and record them."""
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
            if not found.missed:  # else the clock may be wrong, and forgotten slots could be posted again
                scheduled_posts.forget(session, schedule.guild_id, schedule.id, before=now - REMEMBERED)
        if found.missed:
            log.info("slots missed", schedule=schedule.id, missed=len(found.missed))


def _drawn() -> int:
    return secrets.randbelow(MAX_RANDOM_SEED + 1)
