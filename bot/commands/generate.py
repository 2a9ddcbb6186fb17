"""`/generate` and the message menu "Continue this"."""

import asyncio
import re

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Interaction, Pastiche
from bot.commands import autocomplete
from bot.embeds.sample_message import text_of
from bot.errors import UserError
from bot.generation.request import (
    DEFAULT_MIX,
    MAX_COUNT,
    MAX_RANDOM_SEED,
    MAX_SEED_CHARACTERS,
    Blend,
    GenerationRequest,
    SamplingOptions,
)
from bot.guilds.settings import MAX_LENGTH, MAX_TEMPERATURE
from bot.i18n import _
from bot.infra.discord.loops import steadily
from bot.views.answering import Ack, answers, as_asked
from bot.views.report_buttons import DeleteButton, ReportButton
from bot.views.sample_buttons import AgainButton, ContinueButton, answer_with_samples, continued_seed

# Characters of a message that become the seed: more would hide the text after it.
MESSAGE_CHARACTERS = 300
COUNT_EVERY_S = 10

# Mentions, emoji and timestamps are not words of the message.
_DISCORD_MARKUP = re.compile(r"<(?:[@#][!&]?|a?:\w+:|/[^<>:]{1,100}:|t:|id:)[^<>\s]*>")


class Generate(commands.Cog):
    """`/generate`, the message menu, and the counts of what the models wrote."""

    def __init__(self, bot: Pastiche) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        """Start to save the counts."""
        self.count.start()

    async def cog_unload(self) -> None:
        """Save the last counts."""
        self.count.cancel()
        await asyncio.to_thread(self.bot.generations.save)

    @app_commands.command(description="Write a text in the style of one of this server's models.")
    @app_commands.guild_only()
    @app_commands.describe(
        seed="Text to continue (default: a line from the training text)",
        model="Which model (default: the server's default, or its newest)",
        other="Blend it with this model: what both find likely is written",
        mix="Share of the model in “with”: 0 is the other one alone, 1 this one alone (default: 0.5)",
        length="How many characters to write",
        temperature="0 plays it safe, 0.7 reads well, above 1 gets wild",
        top_p="Use only the likeliest choices: 0.9 leaves out the odd ones, 1 uses all",
        typical_p="Use only typical words, neither odd nor too predictable ones: 0.9 is a good start",
        count="How many texts you get",
        random_seed="The same number, seed and settings give the same text again",
        private="True: only you see the answer",
    )
    @app_commands.rename(other="with")
    @app_commands.autocomplete(model=autocomplete.models, other=autocomplete.models_to_blend)
    @answers(as_asked)
    async def generate(
        self,
        interaction: Interaction,
        seed: app_commands.Range[str, 1, MAX_SEED_CHARACTERS] | None = None,
        model: app_commands.Range[str, 1, 100] | None = None,
        length: app_commands.Range[int, 1, MAX_LENGTH] | None = None,
        temperature: app_commands.Range[float, 0.0, MAX_TEMPERATURE] | None = None,
        top_p: app_commands.Range[float, 0.0, 1.0] | None = None,
        typical_p: app_commands.Range[float, 0.0, 1.0] | None = None,
        count: app_commands.Range[int, 1, MAX_COUNT] = 1,
        random_seed: app_commands.Range[int, 0, MAX_RANDOM_SEED] | None = None,
        private: bool = False,
        other: app_commands.Range[str, 1, 100] | None = None,
        mix: app_commands.Range[float, 0.0, 1.0] | None = None,
    ) -> None:
        """Answer with samples."""
        del private  # `as_asked` has read it
        if mix is not None and other is None:
            raise UserError(_("“mix” is the share of a second model: choose that one in “with”."))
        blend = None if other is None else Blend(other, DEFAULT_MIX if mix is None else mix)
        options = SamplingOptions(length, temperature, top_p, random_seed, count, typical_p)
        request = GenerationRequest(model, seed or "", options, blend=blend)
        await answer_with_samples(interaction, request)

    @answers(Ack.PUBLICLY)
    async def continue_message(self, interaction: Interaction, message: discord.Message) -> None:
        """Continue the text of a message, which comes with the interaction and is never stored."""
        written = _DISCORD_MARKUP.sub("", message.content)
        if not written.strip() and self.bot.user is not None and message.author.id == self.bot.user.id:
            written = text_of(message)
        seed = continued_seed(written.strip(), MESSAGE_CHARACTERS)
        await answer_with_samples(interaction, GenerationRequest(seed=seed, found=True))

    @steadily("counts of texts", seconds=COUNT_EVERY_S)
    async def count(self) -> None:
        """Save the counts of what the models wrote."""
        await asyncio.to_thread(self.bot.generations.save)


async def setup(bot: Pastiche) -> None:
    """Add the commands to the bot."""
    bot.add_dynamic_items(AgainButton, ContinueButton, DeleteButton, ReportButton)
    cog = Generate(bot)
    menu = app_commands.ContextMenu(name="Continue this", callback=cog.continue_message)
    menu.guild_only = True
    bot.tree.add_command(menu)
    await bot.add_cog(cog)
