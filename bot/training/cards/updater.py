"""Keeps the cards of trainings up to date: ordinary messages that are edited at each new revision.

Interaction tokens expire after 15 minutes, so nothing here uses one. A card that cannot be shown now is shown
by a later tick. An error of Discord, of the network or of one card does not delay the other cards.
"""

import asyncio
import datetime
import functools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import discord
import structlog

from bot import i18n
from bot.embeds.training_card import training_card
from bot.guilds.member_names import Names
from bot.guilds.public_language import public_language
from bot.infra.discord.refusals import UNKNOWN_CHANNEL, is_busy
from bot.infra.discord.task_per_target import Lanes, patiently
from bot.infra.discord.token_bucket import TokenBucket
from bot.infra.storage.storage import Storage
from bot.text import hidden_words
from bot.training.cards.card_data import Queue, belongings_of, to_show
from bot.training.cards.message import CardMessages
from bot.training.trainer import workspace
from models import (
    EVERY_GUILD,
    Database,
    DatabaseError,
    JobState,
    ServedShards,
    TrainingJob,
    training_jobs,
)

log = structlog.stdlib.get_logger(__name__)

# Discord takes 50 requests a second of a bot, over all its processes, and answers to people come first.
EDITS_A_SECOND = 3.0
EDITS_AT_ONCE = 9
# Each card has a task, so that a rate limit for one does not delay the others.
AT_ONCE = 64
IN_ONE_CHANNEL = 4
PATIENCE_S = 2.0
LOOKED_AT = 50
# Retries: a few at once, then with growing pauses.
FREE_FAILURES = 4
FIRST_PAUSE_S = 6.0
LONGEST_PAUSE_S = 60.0
# If the bot cannot write to the channel, the end of a training is still shown later, within this time.
END_WORTH_TELLING = datetime.timedelta(days=1)
# /train sends the first card itself. If it is missing after this time, it was lost in a crash.
FIRST_CARD_AFTER = datetime.timedelta(seconds=30)
# Discord limits the edits of messages that are older than an hour.
OLD_CARD = datetime.timedelta(minutes=55)
OLD_CARD_EVERY_S = 60.0
ZERO = datetime.timedelta(0)
UNREACHABLE_EVERY_S = 60.0
# A smaller change of the expected start is not worth an edit.
START_MOVED_S = 60.0


@dataclass
class _Shown:
    """What a card shows, as this process knows it."""

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
        client: the bot; it sends to the channels.
        database: holds the jobs.
        names: names of the people who asked.
        storage: has the pictures.
        buttons: makes the buttons below a job's card; None for no buttons.
        served: the servers whose cards are edited.
    """

    def __init__(
        self,
        client: discord.Client,
        database: Database,
        names: Names,
        storage: Storage,
        buttons: Callable[[TrainingJob], discord.ui.View | None],
        served: ServedShards = EVERY_GUILD,
    ) -> None:
        self._served = served
        self._edits = TokenBucket(EDITS_A_SECOND, EDITS_AT_ONCE)
        self._client = client
        self._names = names
        self._database = database
        self._storage = storage
        self._messages = CardMessages(client, buttons)
        self._shown: dict[str, _Shown] = {}
        self._lanes = Lanes(AT_ONCE)
        self._in_channels: Counter[int] = Counter()
        self._failures: dict[str, tuple[int, float]] = {}

    async def show(self, job: TrainingJob) -> None:
        """Update the card of a job at once; if Discord is busy, a later tick retries."""
        self._edits.owe()
        await self._try_to_show(job, None)

    async def _try_to_show(self, job: TrainingJob, queue: Queue | None) -> None:
        # Showing a card changes the language to the server's.
        language = i18n.locale.set(i18n.ENGLISH)
        try:
            await self._show(job, queue)
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
        """Update the cards that changed since the last tick; slow ones continue in the background."""
        limit = LOOKED_AT + len(self._shown) + len(self._failures)
        full = [channel for channel, cards in self._in_channels.items() if cards >= IN_ONE_CHANNEL]
        changed, queue = await self._database.call(
            functools.partial(to_show, limit=limit, without=full, served=self._served)
        )
        known = {job.id for job in changed}
        self._forget_all_but(known.union(job.id for job in (*queue.running, *queue.waiting)))
        now = datetime.datetime.now(datetime.UTC)
        due = sorted((job for job in changed if self._is_due(job, now)), key=self._urgency)
        ours = (job for job in queue.waiting if self._served.owns(job.guild_id))
        moved = [job for job in ours if job.id not in known and self._has_moved(job, queue)]
        begun: list[asyncio.Task[None]] = []
        ordered_until = time.monotonic() + PATIENCE_S
        for job in (*due, *moved):
            cards = self._in_channels[job.channel_id]
            if cards >= IN_ONE_CHANNEL or not (self._may_be_shown(job, now) and self._lanes.is_free(job.id)):
                continue
            if not self._edits.take():
                break
            if cards:  # in their order, unless the one before takes too long
                await patiently(begun, max(0.0, ordered_until - time.monotonic()))
            self._in_channels[job.channel_id] += 1
            begun.append(self._lanes.start(job.id, self._show_apart(job, queue)))
        await patiently(begun, PATIENCE_S)

    async def close(self) -> None:
        """Stop; the cards stay as they are."""
        await self._lanes.close()

    async def _show_apart(self, job: TrainingJob, queue: Queue) -> None:
        try:
            await self._try_to_show(job, queue)
        finally:
            self._in_channels -= Counter([job.channel_id])  # a channel without cards is left out

    def _may_be_shown(self, job: TrainingJob, now: datetime.datetime) -> bool:
        if job.id in self._lanes.busy:
            return False
        if job.id in self._failures and self._failures[job.id][1] > time.monotonic():
            return False
        guild = self._client.get_guild(job.guild_id)
        if guild is not None and guild.unavailable:
            return False
        # /train sends the first card itself. If the clock was ahead, the card must not wait longer for that.
        return job.message_id is not None or not ZERO <= now - job.created_at <= FIRST_CARD_AFTER

    def _failed(self, job: TrainingJob, error: Exception) -> None:
        count = min(self._failures.get(job.id, (0, 0.0))[0] + 1, 16)
        tries = count - FREE_FAILURES
        pause_s = min(FIRST_PAUSE_S * 2**tries, LONGEST_PAUSE_S) if tries >= 0 else 0.0
        self._failures[job.id] = count, time.monotonic() + pause_s
        log.warning("card not shown for now", job=job.id, error=repr(error), failures=count)

    def _forget_all_but(self, job_ids: set[str]) -> None:
        """Forget cards of jobs that are gone, such as those of a server whose data was deleted."""
        for known in (self._shown, self._failures):
            for job_id in known.keys() - job_ids:
                del known[job_id]

    def _urgency(self, job: TrainingJob) -> tuple[bool, float]:
        """Sort what people wait for first: a new state, then the card that was left alone for longest."""
        shown = self._shown.get(job.id)
        return (False, 0.0) if shown is None or shown.state is not job.state else (True, shown.at)

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
        # The start has come nearer by the time that has passed, which is no change.
        expected = shown.starts_in_s - (time.monotonic() - shown.at)
        later = queue.waits_s[job.id] - max(expected, 0.0)
        place = (queue.places[job.id], len(queue.places))
        return (shown.place, shown.waiting) != place or (shown.reachable and abs(later) > START_MOVED_S)

    async def _show(self, job: TrainingJob, queue: Queue | None) -> None:
        belongings = await self._database.call(belongings_of, job, queue)
        hidden_words.current.set(belongings.settings.hidden_words)
        i18n.locale.set(public_language(belongings.settings, self._client.get_guild(job.guild_id)))
        queue = belongings.queue
        place, wait_s = queue.places.get(job.id, 0), queue.waits_s.get(job.id, 0.0)
        waiting = len(queue.places)
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
            # The channel was deleted, or the bot cannot write to it. The job continues without a card.
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
        """Return the newest picture of the losses; None if there is none, or Discord refused it before."""
        if job.state not in {JobState.TRAINING, JobState.DONE} or not self._messages.takes_picture(job):
            return None
        try:
            return workspace.picture(self._storage, job)
        except OSError:
            return None


def _is_worth_telling(job: TrainingJob) -> bool:
    """Whether the training of a card has ended, and not long ago."""
    ended = job.finished_at
    return ended is not None and datetime.datetime.now(datetime.UTC) - ended < END_WORTH_TELLING
