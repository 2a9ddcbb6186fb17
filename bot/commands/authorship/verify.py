"""The message menu "Did you write this?"."""

import asyncio

import discord
from discord import app_commands
from sqlalchemy.orm import Session

from bot.authorship.answer_card import answer_card
from bot.authorship.asking import candidates
from bot.authorship.checking import check
from bot.authorship.claims import Claims, claims_of
from bot.client import Interaction, Pastiche
from bot.errors import UserError
from bot.guilds.permissions import guild_of, require_generator
from bot.i18n import _
from bot.views.answering import Ack, answer_privately, answers
from models import Corpus, GuildSettings, TextModel, corpora


class Verify:
    """The message menu: a text is drawn again from its code, and only who asked reads what came of it."""

    def __init__(self, bot: Pastiche) -> None:
        self.bot = bot

    @answers(Ack.PRIVATELY)
    async def check_message(self, interaction: Interaction, message: discord.Message) -> None:
        """Check the texts of a message, which comes with the interaction and is never stored."""
        guild_id = guild_of(interaction)

        with self.bot.admission.admitted(guild_id):
            settings, models, learned = await self.bot.database.call(_look_up, guild_id)
            require_generator(interaction, settings)
            claims = await claims_of(message, self.bot.download)
            if not claims.texts:
                raise UserError(_nothing_to_check(claims))
            self.bot.cooldowns.take(guild_id, interaction.user.id, settings.cooldown_s)
            checked = await asyncio.gather(
                *(
                    check(claim, models, learned, self.bot.pool, self.bot.storage, settings)
                    for claim in claims.texts
                )
            )
        card = answer_card(
            checked,
            named=bool(claims.model_ids),
            known=bool(claims.model_ids) and {*claims.model_ids} <= {model.id for model in models},
        )
        await answer_privately(interaction, embed=card)


def _look_up(session: Session, guild_id: int) -> tuple[GuildSettings, list[TextModel], dict[int, Corpus]]:
    settings, models = candidates(session, guild_id)
    found = {model.id: corpora.get(session, guild_id, model.corpus_id) for model in models if model.corpus_id}
    return settings, models, {model_id: corpus for model_id, corpus in found.items() if corpus}


def _nothing_to_check(claims: Claims) -> str:
    if claims.damaged:
        return _("The code in this message is damaged. Copy the text again, with its last line.")
    return _(
        "This message has no code of mine, so I cannot tell. The code is at the end of the line below my "
        "texts, and begins with TG1."
    )


async def setup(bot: Pastiche) -> None:
    """Add the message menu to the bot."""
    menu = app_commands.ContextMenu(name="Did you write this?", callback=Verify(bot).check_message)
    menu.guild_only = True
    bot.tree.add_command(menu)
