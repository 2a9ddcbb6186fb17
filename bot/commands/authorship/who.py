"""`/who`: which of the server's models most likely wrote a text."""

import asyncio
import io

import discord
from discord import app_commands
from discord.ext import commands

from bot.authorship.asking import Opinions, ask, candidates
from bot.authorship.drawing import draw
from bot.authorship.speaking import Word, words_of
from bot.authorship.who_card import PICTURE, alternative_text, picture_of, who_card
from bot.client import Interaction, Pastiche
from bot.errors import NoModels
from bot.guilds.permissions import guild_of, require_channel, require_generator
from bot.text import hidden_words
from bot.text.cleaning import clean
from bot.views.answering import answer, answers, as_asked

SHORTEST, LONGEST = 20, 2_000
"""Characters of a text. A shorter one tells nothing, and a longer one tells no more."""


class Who(commands.Cog):
    """`/who`."""

    @app_commands.command(description="Tell which of this server's models most likely wrote a text.")
    @app_commands.guild_only()
    @app_commands.describe(
        text="The text, the longer the better; it is not stored",
        private="True: only you see the answer",
    )
    @answers(as_asked)
    async def who(
        self,
        interaction: Interaction,
        text: app_commands.Range[str, SHORTEST, LONGEST],
        private: bool = False,
    ) -> None:
        """Answer with the ranking, and a picture of the words."""
        del private  # `as_asked` has read it
        bot, guild_id = interaction.client, guild_of(interaction)

        with bot.admission.admitted(guild_id):
            settings, models = await bot.database.call(candidates, guild_id)
            require_generator(interaction, settings)
            require_channel(interaction, settings)
            if not models:
                raise NoModels
            bot.cooldowns.take(guild_id, interaction.user.id, settings.cooldown_s)
            hidden_words.current.set(settings.hidden_words)
            opinions = await ask(models, clean(text), bot.pool)
            words = await asyncio.to_thread(_words, opinions, settings.hidden_words)
            files = []
            if interaction.app_permissions.attach_files:
                files = await _picture(bot, guild_id, opinions, words)
        await answer(interaction, embeds=[who_card(opinions, words, pictured=bool(files))], files=files)


async def _picture(bot: Pastiche, guild_id: int, opinions: Opinions, words: list[Word]) -> list[discord.File]:
    drawn = await bot.curves.call(guild_id, draw, picture_of(opinions, words))
    if drawn is None:
        return []
    described = alternative_text(opinions, words)
    return [discord.File(io.BytesIO(drawn), filename=PICTURE, description=described)]


def _words(opinions: Opinions, listed: str) -> list[Word]:
    """The words as the server may see them; a hidden phrase of several words stands in the first of these."""
    spaced = [f"{word} " for word in opinions.likelihoods[0].words]
    shown = [" ".join(part.split()) for part in hidden_words.hide_in(spaced, listed)]
    return words_of(shown, opinions.likelihoods)


async def setup(bot: Pastiche) -> None:
    """Add the command to the bot."""
    await bot.add_cog(Who())
