"""Keeps the cards of trainings up to date: ordinary messages, edited by revision.

Interaction tokens die after 15 minutes, so nothing here uses one. What cannot be shown now is shown by a
later tick; no fault of Discord, of the network or of one card keeps the others from being shown.
"""

import asyncio
import datetime
import hashlib
import io
import time
from dataclasses import dataclass

import aiohttp
import discord
import structlog
from sqlalchemy.orm import Session

from bot import i18n
from bot.commands.job_buttons import controls
from bot.jobs import forecast, workspace
from bot.layout import Layout
from bot.people import Names
from bot.presentation import hidden_words
from bot.presentation.training_card import PICTURE, training_card
from models import (
    Corpus,
    Database,
    JobState,
    TextModel,
    TrainingJob,
    corpora,
    guilds,
    text_models,
    training_jobs,
    turns,
)

log = structlog.stdlib.get_logger(__name__)

CARDS_A_TICK = 10
# /train sends the first card itself; one that is missing after this was lost in a crash.
FIRST_CARD_AFTER = datetime.timedelta(seconds=30)
# Discord limits how often a message that is older than an hour may be edited.
OLD_CARD = datetime.timedelta(minutes=55)
OLD_CARD_EVERY_S = 60.0
UNREACHABLE_EVERY_S = 60.0
# An expected start that moved by less is not worth an edit.
START_MOVED_S = 60.0

UNKNOWN_CHANNEL = 10003
MISSING_PERMISSIONS = 50013
TOO_LARGE = 413
TOO_MANY_REQUESTS = 429
FIRST_SERVER_ERROR = 500


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


@dataclass(frozen=True)
class _Queue:
    """Places, and when each turn is expected."""

    order: list[str]
    waits_s: dict[str, float]

    def place(self, job: TrainingJob) -> int:
        return self.order.index(job.id) + 1 if job.id in self.order else 0


@dataclass(frozen=True)
class _Belongings:
    """What a card needs beside its job."""

    corpus: Corpus | None
    model: TextModel | None
    base: TextModel | None
    queue: _Queue
    hidden_words: str


class CardEditor:
    """Shows each job's newest revision on its card.

    Args:
        client: to reach the channels.
        database: where the jobs are.
        names: of who asked.
        layout: where the pictures are.
    """

    def __init__(self, client: discord.Client, database: Database, names: Names, layout: Layout) -> None:
        self._client = client
        self._names = names
        self._database = database
        self._layout = layout
        self._shown: dict[str, _Shown] = {}
        self._without_picture: set[str] = set()

    async def show(self, job: TrainingJob) -> None:
        """Bring the card of a job up to date; what is refused for now is tried again later."""
        # A card is for everyone, whoever's interaction it begins with.
        language = i18n.locale.set("en")
        try:
            await self._show(job)
        except discord.HTTPException as error:
            if error.status < FIRST_SERVER_ERROR and error.status != TOO_MANY_REQUESTS:
                raise
            log.warning("card not shown for now", job=job.id, status=error.status)
        except (aiohttp.ClientError, OSError) as error:
            log.warning("card not shown for now", job=job.id, error=repr(error))
        finally:
            i18n.locale.reset(language)

    async def tick(self) -> None:
        """Show what has changed since the last tick."""
        changed, waiting, queue = await self._database.call(_to_show)
        known = {job.id for job in changed}
        moved = [job for job in waiting if job.id not in known and self._has_moved(job, queue)]
        now = datetime.datetime.now(datetime.UTC)
        due = [job for job in changed if self._is_due(job, now)]
        for job in [*due[:CARDS_A_TICK], *moved[:CARDS_A_TICK]]:
            if job.message_id is not None or now - job.created_at > FIRST_CARD_AFTER:
                await self.show(job)

    def _is_due(self, job: TrainingJob, now: datetime.datetime) -> bool:
        shown = self._shown.get(job.id)
        if shown is None or (shown.state is not job.state and (shown.reachable or job.state.is_final)):
            return True
        age_s = time.monotonic() - shown.at
        if not shown.reachable:
            return age_s >= UNREACHABLE_EVERY_S
        return now - job.created_at < OLD_CARD or age_s >= OLD_CARD_EVERY_S

    def _has_moved(self, job: TrainingJob, queue: _Queue) -> bool:
        shown = self._shown.get(job.id)
        if shown is None:
            return True
        # The time that went by has brought the start nearer without moving it.
        expected = shown.starts_in_s - (time.monotonic() - shown.at)
        later = queue.waits_s[job.id] - max(expected, 0.0)
        place = (queue.place(job), len(queue.order))
        return (shown.place, shown.waiting) != place or (shown.reachable and abs(later) > START_MOVED_S)

    async def _show(self, job: TrainingJob) -> None:
        belongings = await self._database.call(_belongings, job)
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
            message_id: int | None = await self._put(job, embed, picture, picture_unchanged=unchanged)
        except discord.HTTPException as error:
            if error.status >= FIRST_SERVER_ERROR or error.status == TOO_MANY_REQUESTS:
                raise
            # The channel is gone or closed to the bot: nothing can be shown, and the job goes on.
            log.warning("card cannot be shown", job=job.id, status=error.status, code=error.code)
            message_id, shown.reachable = None, False
        await self._database.call(
            training_jobs.card_shown, job.guild_id, job.id, job.revision, message_id, write=True
        )
        self._shown[job.id] = shown
        if job.state.is_final:
            del self._shown[job.id]
            self._without_picture.discard(job.id)

    def _picture(self, job: TrainingJob) -> bytes | None:
        """The newest picture of the losses; None where there is none, or where none can be shown."""
        if job.state not in {JobState.TRAINING, JobState.DONE} or job.id in self._without_picture:
            return None
        try:
            return workspace.picture_of(self._layout, job.guild_id, job.id).read_bytes()
        except OSError:
            return None

    async def _put(
        self, job: TrainingJob, embed: discord.Embed, picture: bytes | None, *, picture_unchanged: bool
    ) -> int:
        """Edit the card, or send it where there is none; without its picture where only that is refused."""
        try:
            return await self._edit_or_send(job, embed, picture, picture_unchanged=picture_unchanged)
        except discord.HTTPException as error:
            if picture is None or not (error.status == TOO_LARGE or error.code == MISSING_PERMISSIONS):
                raise
            log.info("card is shown without its picture", job=job.id, status=error.status)
            self._without_picture.add(job.id)
            embed.set_image(url=None)
            return await self._edit_or_send(job, embed, None, picture_unchanged=False)

    async def _edit_or_send(
        self, job: TrainingJob, embed: discord.Embed, picture: bytes | None, *, picture_unchanged: bool
    ) -> int:
        channel = self._client.get_partial_messageable(job.channel_id, guild_id=job.guild_id)
        view = controls(job)
        if job.message_id is not None:
            files = discord.utils.MISSING if picture_unchanged else _files(picture)
            try:
                await channel.get_partial_message(job.message_id).edit(
                    embed=embed, view=view, attachments=files
                )
            except (discord.NotFound, discord.Forbidden) as error:
                if error.code in {UNKNOWN_CHANNEL, MISSING_PERMISSIONS}:
                    raise
                log.info("card is gone, a new one takes its place", job=job.id)
            else:
                return job.message_id
        # A card whose confirmation was lost on the way is not sent twice.
        nonce = hashlib.sha256(f"{job.id}:{job.message_id}".encode()).hexdigest()[:25]
        message = await channel.send(
            embed=embed, view=view or discord.utils.MISSING, files=_files(picture), nonce=nonce
        )
        return message.id


def _files(picture: bytes | None) -> list[discord.File]:
    return [] if picture is None else [discord.File(io.BytesIO(picture), filename=PICTURE)]


def _queue(session: Session) -> tuple[list[TrainingJob], _Queue]:
    waiting = turns.order(session)
    running = [job for job in training_jobs.unfinished(session) if job.state is JobState.TRAINING]
    return waiting, _Queue([job.id for job in waiting], forecast.waits_s(running, waiting))


def _belongings(session: Session, job: TrainingJob) -> _Belongings:
    def model(model_id: int | None) -> TextModel | None:
        return None if model_id is None else text_models.get(session, job.guild_id, model_id)

    return _Belongings(
        corpora.get(session, job.guild_id, job.corpus_id),
        model(job.model_id),
        model(job.base_model_id),
        _queue(session)[1],
        guilds.settings_of(session, job.guild_id).hidden_words,
    )


def _to_show(session: Session) -> tuple[list[TrainingJob], list[TrainingJob], _Queue]:
    """Jobs that changed; jobs that wait, whose place may have changed because others did; and the queue."""
    waiting, queue = _queue(session)
    return list(training_jobs.changed_cards(session)), waiting, queue
