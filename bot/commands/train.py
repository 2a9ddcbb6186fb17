"""`/train`: queues a training of an uploaded text, and keeps its card in the channel up to date."""

import asyncio

import aiohttp
import discord
import structlog
from discord import app_commands
from discord.ext import commands

from bot.client import Interaction, Pastiche
from bot.commands import autocomplete
from bot.i18n import _
from bot.infra.discord.loops import steadily
from bot.text import safe_text
from bot.training.cards.updater import CardEditor
from bot.training.submit import SIZES, TrainingRequest, accept_request
from bot.views.answering import Ack, answer, answers
from bot.views.job_buttons import BUTTONS, controls
from models import DatabaseError
from textgen.levels import LEVELS

log = structlog.stdlib.get_logger(__name__)

# Discord asks for an edit of a message every 2 to 5 s at most.
CARD_EVERY_S = 3


class Train(commands.Cog):
    """`/train`, and the loop that edits the cards of trainings."""

    def __init__(self, bot: Pastiche) -> None:
        self.bot = bot
        self.cards = CardEditor(bot, bot.database, bot.names, bot.storage, controls, bot.served)

    async def cog_load(self) -> None:
        """Start the loop that edits cards."""
        self.edit_cards.start()

    async def cog_unload(self) -> None:
        """Stop the loop; the cards stay."""
        self.edit_cards.cancel()
        await self.cards.close()

    @app_commands.command(description="Train a model on a text that you may use.")
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.describe(
        name="Name of the model; if a model has this name, the new one replaces it",
        corpus="A text file in UTF-8, the longer the better",
        rights="True: I may use this text",
        level="What it puts together: characters suit every text, words and subwords long ones",
        size="How much it can learn (default: what suits the text)",
        minutes="How long it may train",
        validation="Text of the same kind to measure the loss on (default: the end of the corpus)",
        base="Start from a model of the server, or from a pretrained one; it keeps its level and size",
        quotes="True: the game Real or Pastiche? may show single lines of this text here",
    )
    @app_commands.choices(
        level=[app_commands.Choice(name=level, value=level) for level in LEVELS],
        size=[app_commands.Choice(name=size, value=size) for size in SIZES],
    )
    @app_commands.autocomplete(base=autocomplete.models_and_bases)
    @answers(Ack.PRIVATELY)
    async def train(
        self,
        interaction: Interaction,
        name: app_commands.Range[str, 1, 100],
        corpus: discord.Attachment,
        rights: bool,
        level: str | None = None,
        size: str | None = None,
        minutes: app_commands.Range[float, 0.05, 1440.0] | None = None,
        validation: discord.Attachment | None = None,
        base: app_commands.Range[str, 1, 100] | None = None,
        quotes: bool = False,
    ) -> None:
        """Check everything, queue the job and send its card."""
        request = TrainingRequest(name, corpus, rights, level, size, minutes, validation, base, quotes)
        job = await accept_request(interaction, request)
        try:
            await asyncio.to_thread(self.bot.queue.enqueue, job)
        except DatabaseError as error:
            log.warning("the turn is added later", job=job.id, error=str(error))
        await answer(
            interaction,
            _("**{model}** is in the queue. You can follow it on its card in this channel.").format(
                model=safe_text.safe(job.model_name)
            ),
        )
        await self.cards.show(job)

    @steadily("cards of trainings", seconds=CARD_EVERY_S)
    async def edit_cards(self) -> None:
        """Edit the cards that changed; a fault of Discord or the database must not end the loop."""
        try:
            await self.cards.tick()
        except (discord.DiscordException, aiohttp.ClientError, DatabaseError, OSError) as error:
            log.warning("cards not edited this time", error=str(error))


async def setup(bot: Pastiche) -> None:
    """Add the commands to the bot."""
    bot.add_dynamic_items(*BUTTONS)
    await bot.add_cog(Train(bot))
