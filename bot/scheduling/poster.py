"""Finds slots that are due, sees that each has a workflow, and carries its attempt over to the event loop.

The rows are the truth: whatever is not ended there is started again, after a crash as after an outage.
"""

import asyncio
import concurrent.futures
import datetime
import functools
import secrets
import threading
import time
from collections.abc import Callable

import discord
import structlog
from sqlalchemy.orm import Session

from bot.errors import UserError
from bot.generation import MAX_RANDOM_SEED
from bot.jobs.workflows import JobInterrupted
from bot.sampling.pool import SamplerPool
from bot.scheduling import workflow
from bot.scheduling.clock_jumps import ClockJumps, set_back
from bot.scheduling.delivery import Delivery, Slot
from bot.scheduling.notices import Notices
from bot.scheduling.reading import read_rule
from bot.scheduling.slots import due_slots
from bot.scheduling.zones import zone_named
from models import Database, DatabaseError, PostState, Schedule, ScheduledPost, scheduled_posts, schedules
from models.columns import utc_now

log = structlog.stdlib.get_logger(__name__)

# At nine o'clock many are due: more than this wait for the next look. A channel has one at a time, so that
# one in which Discord lets the bot wait holds up its own alone.
AT_ONCE = 32
LOOKED_AT = 100
# A workflow that has not come to its attempt by then is looked for again.
STARTS_WITHIN_S = 60.0
REMEMBERED = datetime.timedelta(days=30)
# A post out of turn that cannot be sent within this is given up.
OUT_OF_TURN = datetime.timedelta(minutes=5)
FIRST_PAUSE = datetime.timedelta(seconds=5)
LONGEST_PAUSE = datetime.timedelta(minutes=5)
# An ended slot is looked after even if its workflow is held by a process that is gone.
GIVEN_UP_AFTER = datetime.timedelta(minutes=10)
LOOK_EVERY_S = 0.2
SHUTDOWN_S = 5.0


class Poster:
    """The bot's scheduled posts.

    Args:
        client: the bot, for its channels.
        database: where schedules and slots are.
        pool: to sample with.
        now: the present moment.

    Attributes:
        now: the clock; a test sets another one.
    """

    def __init__(
        self,
        client: discord.Client,
        database: Database,
        pool: SamplerPool,
        now: Callable[[], datetime.datetime] = utc_now,
    ) -> None:
        self.now = now
        self._client = client
        self._database = database
        self._delivery = Delivery(client, database, pool, lambda: self.now())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = threading.Event()
        self._closing = False
        self._running: set[Slot] = set()
        self._attempts: set[asyncio.Task[None]] = set()
        self._finished: list[Slot] = []
        self._failures: dict[Slot, tuple[int, datetime.datetime]] = {}
        self._started: dict[Slot, tuple[int, float]] = {}
        self._jumps = ClockJumps()
        self._notices = Notices(client, database)
        self._waiting: dict[Slot, asyncio.Future[None]] = {}

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take attempts from now on; they run on this loop."""
        self._loop = loop
        workflow.bind(self)

    async def close(self) -> None:
        """Let attempts that are under way end, for some seconds."""
        self._closing = True
        await self._notices.close()
        if self._attempts:
            await asyncio.wait(self._attempts, timeout=SHUTDOWN_S)
        self.stop()

    def stop(self) -> None:
        """Take no more attempts; those under way are left to the next start."""
        self._stopping.set()
        if workflow.bound() is self:
            workflow.bind(None)

    async def tick(self) -> None:
        """Do all that is due by now."""
        if self._closing or self._stopping.is_set() or not self._client.is_ready():
            return
        base = self._jumps.look(self.now())
        if base is not None:
            await asyncio.to_thread(set_back, self._database, base, self.now())
            self._failures.clear()
        finished, self._finished = self._finished, []
        await asyncio.to_thread(self._take_due, finished)
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

        if await self._database.call(add, write=True) is None:
            return None
        done = self._waiting[slot] = asyncio.get_running_loop().create_future()
        try:
            await asyncio.to_thread(workflow.start, slot)
            await asyncio.wait({done}, timeout=wait_s)
        finally:
            self._waiting.pop(slot, None)
        return await self._database.call(scheduled_posts.get, *slot)

    def deliver(self, slot: Slot) -> None:
        """Attempt the slot on the event loop, and wait for it; for the workflow's thread.

        Raises:
            JobInterrupted: the process is shutting down.
        """
        while self._loop is None or not self._client.is_ready():
            if self._stopping.wait(LOOK_EVERY_S):
                raise JobInterrupted
        if self._stopping.is_set():
            raise JobInterrupted
        attempt = asyncio.run_coroutine_threadsafe(self._attempt(slot), self._loop)
        while not attempt.done():
            if self._stopping.is_set():
                attempt.cancel()
                raise JobInterrupted
            concurrent.futures.wait([attempt], timeout=LOOK_EVERY_S)
        if attempt.cancelled():
            raise JobInterrupted

    async def _attempt(self, slot: Slot) -> None:
        if slot in self._running or self._closing:
            return
        self._running.add(slot)
        task = asyncio.current_task()
        if task is not None:
            self._attempts.add(task)
            task.add_done_callback(self._attempts.discard)
        done = False
        try:
            done = await self._delivery.attempt(slot)
        except DatabaseError as error:
            log.warning("a post is put off", schedule=slot[1], error=str(error))
        except Exception as error:
            log.error("a post failed unexpectedly", schedule=slot[1], exc_info=error)
        finally:
            self._running.discard(slot)
            self._started.pop(slot, None)
        if done:
            self._failures.pop(slot, None)
            self._finished.append(slot)
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
        """Start the workflows of slots that have not ended, in fair turns: one a channel, so many in all."""
        now, at = self.now(), time.monotonic()
        self._started = {
            slot: (channel, since)
            for slot, (channel, since) in self._started.items()
            if slot in self._running or at - since < STARTS_WITHIN_S
        }
        busy = {channel for channel, _since in self._started.values()}
        # Whatever pauses or is busy takes no room from what could begin.
        known = len(self._failures) + len(self._started) + len(self._running)
        look_up = functools.partial(scheduled_posts.ready, away=away, limit=LOOKED_AT + known)
        for post, channel in await self._database.call(look_up, now):
            slot = (post.guild_id, post.schedule_id, post.slot)
            if slot in self._running or (slot in self._failures and self._failures[slot][1] > now):
                continue
            if now > post.expires_at + GIVEN_UP_AFTER:
                await self._attempt(slot)  # sends nothing any more
            elif channel not in busy and len(self._started) < AT_ONCE:
                busy.add(channel)
                self._started[slot] = channel, at
                await self._take_up(slot)

    async def _take_up(self, slot: Slot) -> None:
        try:
            if not await asyncio.to_thread(workflow.start, slot):
                self._started.pop(slot, None)  # it runs already, or has just come to its end
        except Exception as error:
            log.error("a post's workflow cannot be started for now", schedule=slot[1], exc_info=error)
            self._started.pop(slot, None)
            self._try_later(slot)

    def _take_due(self, finished: list[Slot]) -> None:
        if finished:
            workflow.forget(finished)
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
