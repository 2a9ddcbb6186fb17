"""`/generate` and its Again button."""

import asyncio
import re
from typing import Self

import discord
from discord import app_commands
from discord.ext import commands

from bot import generation
from bot.app import Interaction, Pastiche
from bot.errors import answers_everything, answers_expected
from bot.generation import Generated, SampleWish
from bot.i18n import marked
from bot.presentation.sample_message import sample_message, seed_of
from bot.privacy_statement import Stored
from models import text_models

STORES: tuple[Stored, ...] = (
    Stored(
        marked("How many texts each model wrote; neither the texts, their seeds nor who asked"),
        "text_model",
        marked("as long as the model"),
    ),
)

# Discord gives up on an interaction that nobody answered within 3 s.
PATIENCE_S = 1.5
CHOICES = 25


class AgainButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"again:(?P<model>\d{1,19}):(?P<length>\d{1,5}):(?P<temperature>\d{1,4}):(?P<seeded>[01])",
):
    """Samples again with the same settings and a new random seed.

    All it needs is in its id and in the message it stands below, so it outlives a restart.
    """

    def __init__(self, model_id: int, length: int, temperature: float, *, seeded: bool) -> None:
        self.wish = SampleWish(model=model_id, length=length, temperature=temperature)
        self.seeded = seeded
        super().__init__(
            discord.ui.Button(
                label="Again",
                emoji="🎲",
                style=discord.ButtonStyle.secondary,
                custom_id=f"again:{model_id}:{length}:{round(temperature * 100)}:{int(seeded)}",
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
        return cls(
            int(match["model"]),
            int(match["length"]),
            int(match["temperature"]) / 100,
            seeded=match["seeded"] == "1",
        )

    @answers_everything
    async def callback(self, interaction: Interaction) -> None:
        """Answer with a new sample; permission and guild are checked again."""
        seed = seed_of(interaction.message) if self.seeded and interaction.message else ""
        wish = SampleWish(
            model=self.wish.model,
            seed=seed,
            length=min(self.wish.length or 1, generation.MAX_LENGTH),
            temperature=min(self.wish.temperature or 0.0, generation.MAX_TEMPERATURE),
        )
        await answer_wish(interaction, wish)


async def answer_wish(interaction: Interaction, wish: SampleWish) -> None:
    """Answer an interaction with a sample: at once if the sampler is quick, deferred if it is not.

    Waiting a moment before deferring lets a refusal be private, which a deferred public answer cannot be.
    """
    bot = interaction.client
    model, settings = await generation.prepare(interaction, bot.database, wish)
    sampling = asyncio.ensure_future(generation.generate(bot.pool, model, settings, wish))
    done, _ = await asyncio.wait({sampling}, timeout=PATIENCE_S)
    if not done:
        await interaction.response.defer(thinking=True)
    generated = await sampling
    await _send(interaction, generated, seeded=bool(wish.seed))


async def _send(interaction: Interaction, generated: Generated, *, seeded: bool) -> None:
    message = sample_message(generated.sample)
    view = discord.ui.View(timeout=None)
    view.add_item(
        AgainButton(generated.model_id, generated.length, generated.sample.temperature, seeded=seeded)
    )
    file = message.file or discord.utils.MISSING
    if interaction.response.is_done():
        await interaction.followup.send(embed=message.embed, file=file, view=view)
    else:
        await interaction.response.send_message(embed=message.embed, file=file, view=view)


class Generate(commands.Cog):
    """Text in the style of what the server trained."""

    def __init__(self, bot: Pastiche) -> None:
        self.bot = bot

    @app_commands.command(description="Write a text in the style of one of this server's models.")
    @app_commands.guild_only()
    @app_commands.describe(
        seed="The text to go on from (default: a line of the corpus)",
        model="Which model (default: the server's default, or its newest)",
        length="How many characters to write",
        temperature="0 plays it safe, 0.7 reads well, above 1 gets wild",
        random_seed="The same number, seed and settings give the same text again",
    )
    @answers_expected
    async def generate(
        self,
        interaction: Interaction,
        seed: app_commands.Range[str, 1, generation.MAX_SEED_CHARACTERS] | None = None,
        model: app_commands.Range[str, 1, 100] | None = None,
        length: app_commands.Range[int, 1, generation.MAX_LENGTH] | None = None,
        temperature: app_commands.Range[float, 0.0, generation.MAX_TEMPERATURE] | None = None,
        random_seed: app_commands.Range[int, 0, generation.MAX_RANDOM_SEED] | None = None,
    ) -> None:
        """Answer with a sample."""
        await answer_wish(interaction, SampleWish(model, seed or "", length, temperature, random_seed))

    @generate.autocomplete("model")
    async def _complete_model(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        if interaction.guild_id is None:
            return []
        names = await self.bot.database.call(
            text_models.names_starting, interaction.guild_id, current, CHOICES
        )
        return [app_commands.Choice(name=name, value=name) for name in names]


async def setup(bot: Pastiche) -> None:
    """Called by discord.py when the extension is loaded."""
    bot.add_dynamic_items(AgainButton)
    await bot.add_cog(Generate(bot))
