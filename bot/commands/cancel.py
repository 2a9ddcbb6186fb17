"""The Cancel button of a training's card."""

import re
from typing import Any, Self

import discord

from bot.errors import UserError, answers_everything, guild_of
from bot.i18n import _
from bot.permissions import require_canceller
from bot.presentation import safe_text
from bot.privacy_statement import AUDIT_TRAIL
from models import Database, training_jobs

STORES = (AUDIT_TRAIL,)


class CancelButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"cancel:(?P<job>[0-9a-f]{32})"
):
    """Calls a training off; outlives a restart."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(
            discord.ui.Button(
                label=_("Cancel"), style=discord.ButtonStyle.danger, custom_id=f"cancel:{job_id}"
            )
        )

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[discord.Client],
        item: discord.ui.Item[discord.ui.View],
        match: re.Match[str],
        /,
    ) -> Self:
        """Build the button anew from the id that Discord sends."""
        del interaction, item
        return cls(match["job"])

    @answers_everything
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Cancel the job if it is this server's and the person may; the card follows by itself."""
        database: Database = interaction.client.database
        guild_id = guild_of(interaction)
        job = await database.call(training_jobs.get, guild_id, self.job_id)
        if job is None:
            raise UserError(_("There is no such training here."))
        require_canceller(interaction, job.requested_by)
        cancelled = await database.call(training_jobs.cancel, guild_id, self.job_id, write=True)
        if cancelled is None:
            raise UserError(_("This training has already ended."))
        await interaction.response.send_message(
            _("The training of **{name}** is cancelled.").format(name=safe_text.safe(job.model_name)),
            ephemeral=True,
        )
