"""Keeps the cards of trainings up to date: ordinary messages, edited by revision.

Interaction tokens die after 15 minutes, so nothing here uses one.
"""

import datetime

import discord
import structlog
from sqlalchemy.orm import Session

from bot.commands.cancel import CancelButton
from bot.people import Names
from bot.presentation.training_card import training_card
from models import Corpus, Database, JobState, TextModel, TrainingJob, corpora, text_models, training_jobs

log = structlog.stdlib.get_logger(__name__)

CARDS_A_TICK = 10
# /train sends the first card itself; one that is missing after this was lost in a crash.
FIRST_CARD_AFTER = datetime.timedelta(seconds=30)

UNKNOWN_CHANNEL = 10003
TOO_MANY_REQUESTS = 429
FIRST_SERVER_ERROR = 500


class CardEditor:
    """Shows each job's newest revision on its card.

    Args:
        client: to reach the channels.
        database: where the jobs are.
        names: of who asked.
    """

    def __init__(self, client: discord.Client, database: Database, names: Names) -> None:
        self._client = client
        self._names = names
        self._database = database
        self._shown_places: dict[str, int] = {}

    async def show(self, job: TrainingJob) -> None:
        """Bring the card of a job up to date; what Discord refuses for now is tried again later."""
        corpus, model, place = await self._database.call(_belongings, job)
        asked_by = await self._names.of(job.guild_id, job.requested_by)
        embed = training_card(job, corpus, asked_by=asked_by, place=place, model=model)
        view = None if job.state.is_final else _controls(job)
        channel = self._client.get_partial_messageable(job.channel_id, guild_id=job.guild_id)
        try:
            message_id = await self._put(channel, job, embed, view)
        except discord.HTTPException as error:
            if error.status >= FIRST_SERVER_ERROR or error.status == TOO_MANY_REQUESTS:
                log.warning("card not shown for now", job=job.id, status=error.status)
                return
            # The channel is gone or closed to the bot: nothing can be shown, and the job goes on.
            log.warning("card cannot be shown", job=job.id, status=error.status, code=error.code)
            message_id = None
        self._shown_places[job.id] = place
        if job.state is not JobState.QUEUED:
            self._shown_places.pop(job.id, None)
        await self._database.call(
            training_jobs.card_shown, job.guild_id, job.id, job.revision, message_id, write=True
        )

    async def tick(self) -> None:
        """Show what has changed since the last tick."""
        changed, moved = await self._database.call(_to_show, dict(self._shown_places))
        now = datetime.datetime.now(datetime.UTC)
        for job in [*changed[:CARDS_A_TICK], *moved[:CARDS_A_TICK]]:
            if job.message_id is not None or now - job.created_at > FIRST_CARD_AFTER:
                await self.show(job)

    async def _put(
        self,
        channel: discord.PartialMessageable,
        job: TrainingJob,
        embed: discord.Embed,
        view: discord.ui.View | None,
    ) -> int:
        if job.message_id is not None:
            try:
                await channel.get_partial_message(job.message_id).edit(embed=embed, view=view)
            except (discord.NotFound, discord.Forbidden) as error:
                if error.code == UNKNOWN_CHANNEL:
                    raise
                log.info("card is gone, a new one takes its place", job=job.id)
            else:
                return job.message_id
        message = await channel.send(embed=embed, view=view or discord.utils.MISSING)
        return message.id


def _controls(job: TrainingJob) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    view.add_item(CancelButton(job.id))
    return view


def _belongings(session: Session, job: TrainingJob) -> tuple[Corpus | None, TextModel | None, int]:
    corpus = corpora.get(session, job.guild_id, job.corpus_id)
    model = None if job.model_id is None else text_models.get(session, job.guild_id, job.model_id)
    return corpus, model, training_jobs.place_in_queue(session, job)


def _to_show(session: Session, shown_places: dict[str, int]) -> tuple[list[TrainingJob], list[TrainingJob]]:
    """Jobs that changed, and waiting jobs whose place changed because others did."""
    changed = list(training_jobs.changed_cards(session))
    if not shown_places:
        return changed, []
    known = {job.id for job in changed}
    waiting = [job for job in training_jobs.unfinished(session) if job.state is JobState.QUEUED]
    moved = [
        job
        for place, job in enumerate(waiting, start=1)
        if job.id not in known and shown_places.get(job.id, place) != place
    ]
    return changed, moved
