"""`/jobs`: the server's trainings, queued, running and ended, with Cancel."""

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands
from sqlalchemy.orm import Session

from bot.client import Interaction, Pastiche
from bot.embeds.job_list import JobList, job_list, option_of
from bot.guilds.permissions import guild_of, manages_guild
from bot.i18n import _
from bot.training.cards.card_data import Queue, queue_of_all
from bot.views.answering import Ack, answer, answer_privately, answers
from bot.views.job_buttons import cancel_job
from bot.views.persistent import PersistentButton, PersistentItem, Select, view_of
from models import TrainingJob, training_jobs

CHOICES = 25


class CancelSelect(PersistentItem[Select], template=r"jobs:cancel"):
    """Cancels the chosen training."""

    ACK = Ack.UPDATE

    def __init__(self, jobs: Sequence[TrainingJob] = ()) -> None:
        super().__init__(
            discord.ui.Select(
                custom_id="jobs:cancel",
                placeholder=_("Cancel a training …"),
                options=[option_of(job) for job in jobs[:CHOICES]] or discord.utils.MISSING,
            )
        )

    async def pressed(self, interaction: Interaction) -> None:
        """Cancel it if it is this server's and the person may, then show the list again."""
        line = await cancel_job(interaction, self.item.values[0])
        await _show_panel(interaction)
        await answer_privately(interaction, line)


class RefreshButton(PersistentButton, template=r"jobs:refresh"):
    """Shows the list as it is now."""

    ACK = Ack.UPDATE

    def __init__(self) -> None:
        super().__init__(_("Refresh"), "jobs:refresh")

    async def pressed(self, interaction: Interaction) -> None:
        """Edit the list."""
        await _show_panel(interaction)


async def _show_panel(interaction: Interaction) -> None:
    bot, guild_id = interaction.client, guild_of(interaction)

    def look(session: Session) -> tuple[Queue, Sequence[TrainingJob]]:
        return queue_of_all(session), training_jobs.recent(session, guild_id)

    queue, recent = await bot.database.call(look)
    ours = [job for job in (*queue.running, *queue.waiting) if job.guild_id == guild_id]
    names = await bot.names.of_all(guild_id, {job.requested_by for job in ours})
    embed = job_list(
        JobList(
            unfinished=ours,
            recent=recent,
            places=queue.places,
            waits_s=queue.waits_s,
            names=names,
            now=discord.utils.utcnow(),
        )
    )
    theirs = [job for job in ours if manages_guild(interaction) or job.requested_by == interaction.user.id]
    view = view_of(CancelSelect(theirs), RefreshButton()) if theirs else view_of(RefreshButton())
    await answer(interaction, embeds=[embed], view=view)


class Jobs(commands.Cog):
    """What is being trained."""

    @app_commands.command(description="Show this server's running and waiting trainings.")
    @app_commands.guild_only()
    @answers(Ack.PRIVATELY)
    async def jobs(self, interaction: Interaction) -> None:
        """Answer privately: the menu holds the trainings that this person may cancel."""
        await _show_panel(interaction)


async def setup(bot: Pastiche) -> None:
    """Add the commands to the bot."""
    bot.add_dynamic_items(CancelSelect, RefreshButton)
    await bot.add_cog(Jobs())
