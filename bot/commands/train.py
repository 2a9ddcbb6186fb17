"""`/train`: a text goes in, a job is queued, and its card appears in the channel."""

import asyncio
import datetime

import aiohttp
import discord
import structlog
from discord import app_commands
from discord.ext import commands, tasks
from sqlalchemy.orm import Session

from bot import intake
from bot.app import Interaction, Pastiche
from bot.commands.cancel import CancelButton
from bot.errors import UserError, answers_expected, defer_privately, guild_of
from bot.i18n import marked
from bot.jobs.cards import CardEditor
from bot.permissions import require_trainer
from bot.presentation import safe_text
from bot.privacy_statement import AUDIT_TRAIL, Stored
from models import DatabaseError, TrainingJob, corpora, guilds, training_jobs
from models.text_models import clean_name

STORES = (
    Stored(
        marked("Uploaded texts with file name, size, who uploaded them and when they said that they may"),
        "corpus",
        marked("until their uploader has them deleted, or as many days after training as the server chose"),
    ),
    Stored(
        marked("Trainings: who asked, the model's name, channel, figures and the last sample"),
        "training_job",
        marked("until the server's data is deleted; a person's id, until they delete their data"),
    ),
    AUDIT_TRAIL,
)

log = structlog.stdlib.get_logger(__name__)

# Discord asks for an edit of a message every 2 to 5 s at most.
CARD_EVERY_S = 2


class Train(commands.Cog):
    """Trainings and their cards."""

    def __init__(self, bot: Pastiche) -> None:
        self.bot = bot
        self.cards = CardEditor(bot, bot.database, bot.names)

    async def cog_load(self) -> None:
        """Begin to keep the cards up to date."""
        self.edit_cards.start()

    async def cog_unload(self) -> None:
        """Leave the cards as they are."""
        self.edit_cards.cancel()

    @app_commands.command(description="Train a model on a text that you may use.")
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.describe(
        name="What the model will be called; a name already here gets the new model",
        corpus="A text file in UTF-8, the longer the better",
        rights="True: I may use this text",
        minutes="How long it may train",
    )
    @answers_expected
    async def train(
        self,
        interaction: Interaction,
        name: app_commands.Range[str, 1, 100],
        corpus: discord.Attachment,
        rights: bool,
        minutes: app_commands.Range[float, 0.05, 1440.0] | None = None,
    ) -> None:
        """Check everything, queue the job and send its card."""
        await defer_privately(interaction)
        job = await self._accept(interaction, name, corpus, rights=rights, minutes=minutes)
        await asyncio.to_thread(self.bot.queue.enqueue, job)
        await interaction.edit_original_response(
            content=f"**{safe_text.safe(job.model_name)}** is in the queue. Its card is in this channel."
        )
        await self.cards.show(job)

    async def _accept(
        self,
        interaction: Interaction,
        name: str,
        corpus: discord.Attachment,
        *,
        rights: bool,
        minutes: float | None,
    ) -> TrainingJob:
        guild_id = guild_of(interaction)
        settings = self.bot.settings
        require_trainer(interaction, await self.bot.database.call(guilds.settings_of, guild_id))
        await self.bot.database.call(_require_room, guild_id, settings.max_queued_per_guild)
        if not rights:
            raise UserError(
                "Training takes your word that you may use this text: set `rights` to True if you may."
            )
        minutes = settings.training_minutes if minutes is None else minutes
        if minutes > settings.max_training_minutes:
            raise UserError(
                f"A training of {minutes:g} minutes was asked for; "
                f"up to {settings.max_training_minutes:g} are possible."
            )
        name = clean_name(name)
        _require_card_can_be_shown(interaction)
        data = await intake.read_attachment(corpus, settings.max_corpus_bytes)
        accepted = await asyncio.to_thread(
            intake.accept, data, filename=corpus.filename, guild_id=guild_id, layout=self.bot.layout
        )

        def record(session: Session) -> TrainingJob:
            _require_room(session, guild_id, settings.max_queued_per_guild)
            row = corpora.add(
                session,
                guild_id,
                sha256=accepted.sha256,
                filename=corpus.filename,
                path=str(accepted.path),
                characters=accepted.stats.characters,
                lines=accepted.stats.lines,
                symbols=accepted.stats.symbols,
                uploaded_by=interaction.user.id,
                rights_confirmed_at=datetime.datetime.now(datetime.UTC),
            )
            return training_jobs.enqueue(
                session,
                guild_id,
                channel_id=interaction.channel_id or 0,
                requested_by=interaction.user.id,
                corpus_id=row.id,
                model_name=name,
                minutes=minutes,
            )

        job = await self.bot.database.call(record, write=True)
        log.info("training queued", guild=guild_id, job=job.id, characters=accepted.stats.characters)
        return job

    @tasks.loop(seconds=CARD_EVERY_S)
    async def edit_cards(self) -> None:
        """Bring changed cards up to date; a fault of Discord or the database must not end the loop."""
        try:
            await self.cards.tick()
        except (discord.DiscordException, aiohttp.ClientError, DatabaseError, OSError) as error:
            log.warning("cards not edited this time", error=str(error))

    @edit_cards.error
    async def _cards_failed(self, error: BaseException) -> None:
        log.error("the card loop failed and starts again", exc_info=error)
        self.edit_cards.restart()


def _require_room(session: Session, guild_id: int, most: int) -> None:
    waiting = len(training_jobs.listing(session, guild_id))
    if waiting >= most:
        raise UserError(
            f"This server already has {waiting} trainings queued or running. Wait for one, or cancel one."
        )


def _require_card_can_be_shown(interaction: Interaction) -> None:
    mine = interaction.app_permissions
    in_thread = isinstance(interaction.channel, discord.Thread)
    lacking = [
        words
        for words, held in (
            ("View Channel", mine.view_channel),
            ("Send Messages", mine.send_messages_in_threads if in_thread else mine.send_messages),
            ("Embed Links", mine.embed_links),
        )
        if not held
    ]
    if lacking:
        raise UserError(
            f"I lack {', '.join(lacking)} in this channel, so the training's card could not be shown."
        )


async def setup(bot: Pastiche) -> None:
    """Called by discord.py when the extension is loaded."""
    bot.add_dynamic_items(CancelButton)
    await bot.add_cog(Train(bot))
