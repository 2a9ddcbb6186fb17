"""The buttons of a training's card: Cancel and Finish now while it runs, Try it and Make default after.

Each button knows only an id, so it outlives a restart. When it is pressed, the id and the person's permission
are looked up in the server of the press.
"""

import asyncio

import discord
from sqlalchemy.orm import Session

from bot.client import Interaction
from bot.errors import UserError
from bot.generation.request import GenerationRequest
from bot.guilds.permissions import guild_of, require_canceller
from bot.i18n import _
from bot.text import safe_text
from bot.training.trainer import workspace
from bot.views.answering import answer
from bot.views.model_panel import make_default
from bot.views.persistent import PersistentButton, view_of
from bot.views.sample_buttons import SamplingButton, answer_with_samples
from models import JobState, TrainingJob, audit, training_jobs
from models.tables import NO_CURVE


class CancelButton(PersistentButton, template=r"cancel:(?P<job_id>[0-9a-f]{32})"):
    """Cancels a training."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(_("Cancel"), f"cancel:{job_id}", discord.ButtonStyle.danger)

    async def pressed(self, interaction: Interaction) -> None:
        """Cancel the job; the card follows by itself."""
        line = await cancel_job(interaction, self.job_id)
        await answer(interaction, line)


class FinishButton(PersistentButton, template=r"finish:(?P<job_id>[0-9a-f]{32})"):
    """Ends a training early, with the best model so far."""

    def __init__(self, job_id: str, *, asked: bool = False) -> None:
        self.job_id = job_id
        label = _("Finishing …") if asked else _("Finish now")
        super().__init__(label, f"finish:{job_id}", disabled=asked)

    async def pressed(self, interaction: Interaction) -> None:
        """Ask the trainer to finish; the card follows by itself."""
        job = await _job_to_end(interaction, self.job_id)
        if not _has_learned(job):
            raise UserError(_("This training has not learned anything yet. Wait for its first loss."))

        def finish(session: Session) -> None:
            asked = training_jobs.request_finish(session, job.guild_id, job.id)
            if asked is None:
                raise UserError(_("This training has already ended."))
            audit.record(
                session,
                job.guild_id,
                interaction.user.id,
                "training.finished_early",
                job.model_name,
                fraction=round(asked.fraction, 3),
            )

        await interaction.client.database.call(finish, write=True)
        await answer(
            interaction,
            _("**{model}** is being finished with its best result so far.").format(
                model=safe_text.safe(job.model_name)
            ),
        )


class TryButton(SamplingButton, template=r"trained:try:(?P<model_id>\d{1,19})"):
    """Writes a text with a finished training's model."""

    def __init__(self, model_id: int) -> None:
        self.model_id = model_id
        super().__init__(_("Try it"), f"trained:try:{model_id}", discord.ButtonStyle.primary)

    async def pressed(self, interaction: Interaction) -> None:
        """Answer as /generate would."""
        await answer_with_samples(interaction, GenerationRequest(self.model_id))


class DefaultButton(PersistentButton, template=r"trained:default:(?P<model_id>\d{1,19})"):
    """Makes a finished training's model the one that /generate takes when none is named."""

    def __init__(self, model_id: int) -> None:
        self.model_id = model_id
        super().__init__(_("Make default"), f"trained:default:{model_id}")

    async def pressed(self, interaction: Interaction) -> None:
        """Make it the default if it is this server's and the person may."""
        name = await make_default(interaction, self.model_id)
        await answer(
            interaction,
            _("**{model}** is this server's default model now.").format(model=safe_text.safe(name)),
        )


BUTTONS = (CancelButton, FinishButton, TryButton, DefaultButton)


async def cancel_job(interaction: Interaction, job_id: str) -> str:
    """Cancel a training if it is this server's and the person may; return the line that confirms it.

    Raises:
        UserError: the server has no such training, it has ended, or the person may not cancel it.
    """
    job = await _job_to_end(interaction, job_id)

    def cancel(session: Session) -> TrainingJob:
        cancelled = training_jobs.cancel(session, job.guild_id, job.id)
        if cancelled is None:
            raise UserError(_("This training has already ended."))
        audit.record(session, job.guild_id, interaction.user.id, "training.cancelled", job.model_name)
        return cancelled

    cancelled = await interaction.client.database.call(cancel, write=True)
    if cancelled.started_at is None:  # a trainer at work removes its files itself
        await asyncio.to_thread(workspace.clear, interaction.client.storage, job.guild_id, job.id)
    return _("The training of **{model}** is cancelled.").format(model=safe_text.safe(job.model_name))


async def _job_to_end(interaction: Interaction, job_id: str) -> TrainingJob:
    job = await interaction.client.database.call(training_jobs.get, guild_of(interaction), job_id)
    if job is None:
        raise UserError(_("There is no such training here."))
    require_canceller(interaction, job.requested_by)
    return job


def controls(job: TrainingJob) -> discord.ui.View | None:
    """The buttons below a job's card in its present state; None if it has none."""
    match job.state:
        case JobState.TRAINING if _has_learned(job):
            return view_of(FinishButton(job.id, asked=job.finish_requested), CancelButton(job.id))
        case JobState.QUEUED | JobState.TRAINING:
            return view_of(CancelButton(job.id))
        case JobState.DONE if job.model_id is not None:
            return view_of(TryButton(job.model_id), DefaultButton(job.model_id))
        case _:
            return None


def _has_learned(job: TrainingJob) -> bool:
    return job.loss is not None or job.curve != NO_CURVE
