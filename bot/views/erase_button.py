"""The button that confirms `/privacy delete`."""

import asyncio

import discord
import structlog

from bot.client import Interaction
from bot.errors import UserError
from bot.guilds.permissions import guild_of, require_manager
from bot.i18n import _, ngettext
from bot.privacy import erasure
from bot.text import card_style, safe_text
from bot.views.answering import Ack, answer
from bot.views.persistent import PersistentButton

log = structlog.stdlib.get_logger(__name__)


class EraseButton(
    PersistentButton, template=r"erase:(?P<scope>me|server):(?P<user_id>\d{1,20}):(?P<models>[01])"
):
    """Deletes what the message above it says; outlives a restart."""

    ACK = Ack.UPDATE

    def __init__(self, scope: str, user_id: int, *, models: bool) -> None:
        self.scope = scope
        self.user_id = user_id
        self.models = models
        custom_id = f"erase:{scope}:{user_id}:{int(models)}"
        super().__init__(_("Delete for good"), custom_id, discord.ButtonStyle.danger)

    async def pressed(self, interaction: Interaction) -> None:
        """Delete, if the person still may; only they themselves can delete what is theirs."""
        guild_id = guild_of(interaction)
        if interaction.user.id != self.user_id:
            raise UserError(_("Only the person who asked for this can confirm it."))
        if self.scope == "server":
            require_manager(interaction)
            await _erase_server(interaction, guild_id)
            done = _("All of this server's data is deleted.")
        else:
            done = await _erase_person(interaction, guild_id, models=self.models)
        log.info("data deleted", guild=guild_id, scope=self.scope)
        embed = discord.Embed(title=_("Deleted"), description=done, colour=card_style.DONE)
        await answer(interaction, embeds=[embed], view=None)


async def _erase_server(interaction: Interaction, guild_id: int) -> None:
    bot = interaction.client
    await asyncio.to_thread(
        erasure.erase_guild,
        bot.database,
        bot.storage,
        guild_id,
        discord.utils.utcnow(),
        asked_by=interaction.user.id,
    )
    bot.names.forget(guild_id)
    bot.words.learn(guild_id, "")


async def _erase_person(interaction: Interaction, guild_id: int, *, models: bool) -> str:
    bot = interaction.client
    erased = await asyncio.to_thread(
        erasure.erase_person,
        bot.database,
        bot.storage,
        guild_id,
        interaction.user.id,
        discord.utils.utcnow(),
        models=models,
    )
    bot.names.forget(guild_id, interaction.user.id)
    lines = []
    if erased.texts:
        lines.append(
            ngettext("{number} text is deleted.", "{number} texts are deleted.", erased.texts).format(
                number=card_style.count(erased.texts)
            )
        )
    if erased.trainings:
        lines.append(
            ngettext(
                "{number} training is cancelled.", "{number} trainings are cancelled.", erased.trainings
            ).format(number=card_style.count(erased.trainings))
        )
    if erased.models:
        names = safe_text.safe_within(", ".join(erased.models), 500)
        lines.append(_("These models are deleted: {names}.").format(names=names))
    lines.append(_("Nothing here names you any more."))
    return "\n".join(lines)
