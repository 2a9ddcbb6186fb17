"""Keeps the cards of trainings up to date: ordinary messages, edited by revision.

Interaction tokens die after 15 minutes, so nothing here uses one. What cannot be shown now is shown by a
later tick; no fault of Discord, of the network or of one card keeps the others from being shown.
"""

import asyncio
import datetime
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import discord
import structlog

from bot import i18n
from bot.embeds.training_card import training_card
from bot.guilds.member_names import Names
from bot.infra.discord.refusals import UNKNOWN_CHANNEL, is_busy
from bot.infra.discord.target_lanes import Lanes, patiently
from bot.infra.paths import Layout
from bot.text import hidden_words
from bot.training.cards.facts import Queue, belongings_of, to_show
from bot.training.cards.message import CardMessages
from bot.training.trainer import workspace
from models import Database, DatabaseError, JobState, TrainingJob, training_jobs

log = structlog.stdlib.get_logger(__name__)

CARDS_A_TICK = 30
# A task a card: where Discord lets the bot wait for its turn, the others go on.
AT_ONCE = 64
IN_ONE_CHANNEL = 4
PATIENCE_S = 2.0
LOOKED_AT = 50
# What fails is tried again at once a few times, then at growing distances.
FREE_FAILURES = 4
FIRST_PAUSE_S = 6.0
LONGEST_PAUSE_S = 60.0
# The end of a training is told as soon as its channel opens to the bot again, but for one that stays closed.
END_WORTH_TELLING = datetime.timedelta(days=1)
# /train sends the first card itself; one that is missing after this was lost in a crash.
FIRST_CARD_AFTER = datetime.timedelta(seconds=30)
# Discord limits how often a message that is older than an hour may be edited.
OLD_CARD = datetime.timedelta(minutes=55)
OLD_CARD_EVERY_S = 60.0
ZERO = datetime.timedelta(0)
UNREACHABLE_EVERY_S = 60.0
# An expected start that moved by less is not worth an edit.
START_MOVED_S = 60.0


@dataclass
class _Shown:
    """What a card shows, as far as this process knows."""

    at: float
    state: JobState
    place: int
    waiting: int
    starts_in_s: float
    picture: int | None
    reachable: bool = True


class CardEditor:
    """Shows each job's newest revision on its card.

    Args:
        client: to reach the channels.
        database: where the jobs are.
        names: of who asked.
        layout: where the pictures are.
    """

    def __init__(
        self,
        client: discord.Client,
        database: Database,
        names: Names,
        layout: Layout,
        buttons: Callable[[TrainingJob], discord.ui.View | None],
    ) -> None:
        self._client = client
        self._names = names
        self._database = database
        self._layout = layout
        self._messages = CardMessages(client, buttons)
        self._shown: dict[str, _Shown] = {}
        self._lanes = Lanes(AT_ONCE)
        self._in_channels: dict[int, set[str]] = {}
        self._failures: dict[str, tuple[int, float]] = {}

    async def show(self, job: TrainingJob) -> None:
        """Bring the card of a job up to date; what is refused for now is tried again later."""
        # A card is for everyone, whoever's interaction it begins with.
        language = i18n.locale.set("en")
        try:
            await self._show(job)
        except discord.HTTPException as error:
            if not is_busy(error):
                raise
            self._failed(job, error)
        except (aiohttp.ClientError, OSError, DatabaseError) as error:
            self._failed(job, error)
        else:
            self._failures.pop(job.id, None)
        finally:
            i18n.locale.reset(language)

    async def tick(self) -> None:
        """Show what has changed since the last tick, a task a card; what takes long goes on beside it."""
        limit = LOOKED_AT + len(self._shown) + len(self._failures)
        full = [channel for channel, cards in self._in_channels.items() if len(cards) >= IN_ONE_CHANNEL]
        changed, waiting, queue = await self._database.call(
            functools.partial(to_show, limit=limit, without=full)
        )
        known = {job.id for job in changed}
        moved = [job for job in waiting if job.id not in known and self._has_moved(job, queue)]
        now = datetime.datetime.now(datetime.UTC)
        due = [job for job in changed if self._is_due(job, now)]
        begun: list[asyncio.Task[None]] = []
        ordered_until = time.monotonic() + PATIENCE_S
        for jobs in (due, moved):
            for job in [job for job in jobs if self._may_be_shown(job, now)][:CARDS_A_TICK]:
                cards = self._in_channels.setdefault(job.channel_id, set())
                if len(cards) < IN_ONE_CHANNEL and self._lanes.is_free(job.id):
                    if cards:  # in their order, unless the one before is held up
                        await patiently(begun, max(0.0, ordered_until - time.monotonic()))
                        cards = self._in_channels.setdefault(job.channel_id, set())
                    cards.add(job.id)
                    begun.append(self._lanes.start(job.id, self._show_apart(job)))
        await patiently(begun, PATIENCE_S)

    async def close(self) -> None:
        """Leave the cards as they are."""
        await self._lanes.close()

    async def _show_apart(self, job: TrainingJob) -> None:
        try:
            await self.show(job)
        finally:
            cards = self._in_channels[job.channel_id]
            cards.discard(job.id)
            if not cards:
                del self._in_channels[job.channel_id]

    def _may_be_shown(self, job: TrainingJob, now: datetime.datetime) -> bool:
        if job.id in self._lanes.busy:
            return False
        if job.id in self._failures and self._failures[job.id][1] > time.monotonic():
            return False
        guild = self._client.get_guild(job.guild_id)
        if guild is not None and guild.unavailable:
            return False
        # /train itself sends the first one. A clock that was ahead is no reason to wait longer for it.
        return job.message_id is not None or not ZERO <= now - job.created_at <= FIRST_CARD_AFTER

    def _failed(self, job: TrainingJob, error: Exception) -> None:
        count = min(self._failures.get(job.id, (0, 0.0))[0] + 1, 16)
        tries = count - FREE_FAILURES
        pause_s = min(FIRST_PAUSE_S * 2**tries, LONGEST_PAUSE_S) if tries >= 0 else 0.0
        self._failures[job.id] = count, time.monotonic() + pause_s
        log.warning("card not shown for now", job=job.id, error=repr(error), failures=count)

    def _is_due(self, job: TrainingJob, now: datetime.datetime) -> bool:
        shown = self._shown.get(job.id)
        if shown is None or (shown.state is not job.state and (shown.reachable or job.state.is_final)):
            return True
        age_s = time.monotonic() - shown.at
        if not shown.reachable:
            return age_s >= UNREACHABLE_EVERY_S
        return now - job.created_at < OLD_CARD or age_s >= OLD_CARD_EVERY_S

    def _has_moved(self, job: TrainingJob, queue: Queue) -> bool:
        shown = self._shown.get(job.id)
        if shown is None:
            return True
        # The time that went by has brought the start nearer without moving it.
        expected = shown.starts_in_s - (time.monotonic() - shown.at)
        later = queue.waits_s[job.id] - max(expected, 0.0)
        place = (queue.place(job), len(queue.order))
        return (shown.place, shown.waiting) != place or (shown.reachable and abs(later) > START_MOVED_S)

    async def _show(self, job: TrainingJob) -> None:
        belongings = await self._database.call(belongings_of, job)
        hidden_words.current.set(belongings.hidden_words)
        place = belongings.queue.place(job)
        wait_s = belongings.queue.waits_s.get(job.id, 0.0)
        waiting = len(belongings.queue.order)
        shown = _Shown(time.monotonic(), job.state, place, waiting, wait_s, None)
        picture = await asyncio.to_thread(self._picture, job)
        known = self._shown.get(job.id)
        if picture is not None:
            shown.picture = hash(picture)
        embed = training_card(
            job,
            belongings.corpus,
            asked_by=await self._names.of(job.guild_id, job.requested_by),
            place=place,
            waiting=waiting,
            starts_at=datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=wait_s),
            model=belongings.model,
            base=belongings.base,
            pictured=picture is not None,
        )
        unchanged = known is not None and known.picture == shown.picture
        try:
            message_id: int | None = await self._messages.put(
                job, embed, picture, picture_unchanged=unchanged
            )
        except discord.HTTPException as error:
            if is_busy(error):
                raise
            # The channel is gone or closed to the bot: nothing can be shown, and the job goes on.
            log.warning("card cannot be shown", job=job.id, status=error.status, code=error.code)
            message_id, shown.reachable = None, False
            if error.code != UNKNOWN_CHANNEL and _is_worth_telling(job):
                self._shown[job.id] = shown
                return
        await self._database.call(
            training_jobs.card_shown, job.guild_id, job.id, job.revision, message_id, write=True
        )
        self._shown[job.id] = shown
        if job.state.is_final:
            del self._shown[job.id]
            self._messages.forget(job)

    def _picture(self, job: TrainingJob) -> bytes | None:
        """The newest picture of the losses; None where there is none, or where none can be shown."""
        if job.state not in {JobState.TRAINING, JobState.DONE} or not self._messages.takes_picture(job):
            return None
        try:
            return workspace.picture_of(self._layout, job.guild_id, job.id).read_bytes()
        except OSError:
            return None


def _is_worth_telling(job: TrainingJob) -> bool:
    """Whether a card that cannot be shown now holds the end of a training, not long ago."""
    ended = job.finished_at
    return ended is not None and datetime.datetime.now(datetime.UTC) - ended < END_WORTH_TELLING
