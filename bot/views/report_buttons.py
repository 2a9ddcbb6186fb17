"""The buttons Delete and Report below a sample."""

import discord
from sqlalchemy.orm import Session

from bot import i18n
from bot.client import Interaction
from bot.embeds.sample_message import report_card
from bot.errors import UserError
from bot.guilds.permissions import guild_of, is_gone, require_remover
from bot.guilds.public_language import public_language
from bot.i18n import _
from bot.views.answering import Ack, answer, take_away
from bot.views.persistent import PersistentButton
from models import GuildSettings, audit, guilds

REPORTED = "sample.reported"


class DeleteButton(PersistentButton, template=r"delete:(?P<asked_by>\d{1,20})"):
    """Deletes the message it stands below; outlives a restart."""

    ACK = Ack.UPDATE

    def __init__(self, asked_by: int) -> None:
        self.asked_by = asked_by
        super().__init__(_("Delete"), f"delete:{asked_by}", emoji="🗑️", row=0)

    async def pressed(self, interaction: Interaction) -> None:
        """Delete the message if the person may."""
        require_remover(interaction, self.asked_by)
        await take_away(interaction)


class ReportButton(PersistentButton, template=r"report"):
    """Sends a text to the people who look after the server; outlives a restart."""

    def __init__(self) -> None:
        super().__init__(_("Report"), "report", emoji="🚩", row=0)

    async def pressed(self, interaction: Interaction) -> None:
        """Send the text to the server's report channel, once per person and message."""
        bot, guild_id, message = interaction.client, guild_of(interaction), interaction.message
        if message is None:
            return
        settings = await bot.database.call(_record, guild_id, interaction.user.id, message.id, write=True)
        channel_id = settings.report_channel_id
        if channel_id is None:
            raise UserError(
                _(
                    "Your report is noted, but this server has no channel for reports yet. "
                    "Someone with Manage Server can choose one: /settings edit."
                )
            )
        if is_gone(interaction.guild, channel_id=channel_id):
            raise UserError(
                _(
                    "Your report is noted, but the channel that this server chose for reports no longer "
                    "exists. Someone with Manage Server can choose another one: /settings edit."
                )
            )
        channel = bot.get_partial_messageable(channel_id, guild_id=guild_id)
        with i18n.speaking(public_language(settings, interaction.guild)):
            card = report_card(message, interaction.user.id)
        try:
            await channel.send(embed=card)
        except discord.HTTPException:
            raise UserError(
                _(
                    "Your report is noted, but I cannot write in <#{channel}>. "
                    "Please tell someone who manages this server."
                ).format(channel=channel_id)
            ) from None
        await answer(
            interaction, _("Thank you. Your report was sent to the people who look after this server.")
        )


def _record(session: Session, guild_id: int, user_id: int, message_id: int) -> GuildSettings:
    """Record the report and return the server's settings: one is the channel for it.

    Raises:
        UserError: this person has reported this message before.
    """
    if audit.recorded(session, guild_id, user_id, REPORTED, str(message_id)):
        raise UserError(_("You have already reported this text."))
    audit.record(session, guild_id, user_id, REPORTED, str(message_id))
    return guilds.settings_of(session, guild_id)
