"""The buttons of schedules: Confirm and Cancel below a preview, Stop and Report below every post."""

import discord
from sqlalchemy.orm import Session

from bot.client import Interaction
from bot.embeds.schedule_card import STOPPED, saved_card
from bot.errors import UserError
from bot.guilds.permissions import guild_of, require_scheduler
from bot.i18n import _
from bot.scheduling import confirmation
from bot.scheduling.confirmation import UnknownSchedule, title
from bot.text import safe_text
from bot.views.answering import Ack, answer
from bot.views.persistent import PersistentButton, view_of
from bot.views.report_buttons import ReportButton
from models import audit, schedules


class DraftButton(
    PersistentButton, template=r"schedule:(?P<schedule_id>\d{1,15}):(?P<action>confirm|cancel)"
):
    """Saves the schedule of a preview, or discards it; outlives a restart."""

    ACK = Ack.UPDATE

    def __init__(self, schedule_id: int, action: str) -> None:
        self.schedule_id = schedule_id
        self.action = action
        confirms = action == "confirm"
        style = discord.ButtonStyle.success if confirms else discord.ButtonStyle.secondary
        super().__init__(_("Confirm") if confirms else _("Cancel"), f"schedule:{schedule_id}:{action}", style)

    async def pressed(self, interaction: Interaction) -> None:
        """Save or discard it; permission, limits, channel and model are checked again."""
        guild_id = guild_of(interaction)
        require_scheduler(interaction)
        if self.action == "cancel":
            await interaction.client.database.call(schedules.discard, guild_id, self.schedule_id, write=True)
            await answer(interaction, _("Nothing was saved."), embeds=[], view=None)
            return
        schedule, model_name = await confirmation.confirm(interaction, self.schedule_id)
        await answer(interaction, embeds=[saved_card(schedule, model_name)], view=None)


class StopButton(PersistentButton, template=r"stop-posts:(?P<schedule_id>\d{1,15})"):
    """Pauses the schedule that a post came from; outlives a restart."""

    ACK = Ack.PUBLICLY  # everyone sees who stopped the schedule

    def __init__(self, schedule_id: int) -> None:
        self.schedule_id = schedule_id
        super().__init__(_("Stop"), f"stop-posts:{schedule_id}")

    async def pressed(self, interaction: Interaction) -> None:
        """Pause the schedule, and say in the channel who did it."""
        stopped = await pause(interaction, self.schedule_id, STOPPED, "post.stopped")
        name = safe_text.shorten(safe_text.plain(interaction.user.display_name), 60)
        await answer(
            interaction,
            _("{name} paused the schedule **{schedule}**. Use /schedule resume to continue it.").format(
                name=safe_text.safe(name), schedule=safe_text.safe(stopped)
            ),
        )


async def pause(interaction: Interaction, schedule_id: int, reason: str, action: str) -> str:
    """Pause a schedule and return its title.

    Args:
        interaction: of the person who pauses it, from the server.
        schedule_id: id of the schedule.
        reason: what its row says of the pause.
        action: what the audit log calls it.

    Raises:
        PermissionRefused: the person may not.
        UnknownSchedule: the server has no such schedule.
        UserError: it is already paused.
    """
    guild_id, user = guild_of(interaction), interaction.user
    require_scheduler(interaction)

    def change(session: Session) -> str:
        known = schedules.get(session, guild_id, schedule_id)
        if known is None:
            raise UnknownSchedule
        if schedules.pause(session, guild_id, schedule_id, reason=reason, by=user.id) is None:
            raise UserError(_("This schedule is already paused."))
        audit.record(session, guild_id, user.id, action, title(known))
        return title(known)

    return await interaction.client.database.call(change, write=True)


def draft_view(schedule_id: int) -> discord.ui.View:
    """Confirm and Cancel."""
    return view_of(DraftButton(schedule_id, "confirm"), DraftButton(schedule_id, "cancel"))


def post_view(schedule_id: int) -> discord.ui.View:
    """Stop and Report, below every post."""
    return view_of(StopButton(schedule_id), ReportButton())
