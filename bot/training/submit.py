"""From a request to a queued job: permission, limits, the texts, the base. The way of `/train`."""

import asyncio
import datetime
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

import discord
import structlog
from sqlalchemy.orm import Session

from bot import i18n
from bot.embeds.corpus_notes import corpus_notes
from bot.errors import UnknownModel, UserError
from bot.guilds.permissions import guild_of, lacking_to_post, require_trainer
from bot.i18n import _
from bot.infra.children.untrusted_input import ChildPool
from bot.infra.paths import Layout
from bot.infra.storage import keys
from bot.infra.storage.errors import StorageError
from bot.infra.storage.storage import Storage
from bot.settings import Settings
from bot.training import quotas
from bot.training.bases import Bases, OfferedBase
from bot.training.jobs import limits
from bot.training.jobs.queue import JobQueue
from bot.training.uploads import attachments, intake
from bot.training.uploads.intake import AcceptedText
from models import (
    Database,
    TextModel,
    TrainingJob,
    audit,
    corpora,
    guilds,
    retention,
    text_models,
    training_jobs,
)
from models.training.names import clean_name
from textgen.corpus import check_stats
from textgen.levels import DEFAULT_LEVEL

log = structlog.stdlib.get_logger(__name__)

SIZES = ("tiny", "small", "medium", "large")

Interaction = discord.Interaction[Any]


class Services(Protocol):
    """What a submission uses of the bot: its settings, files, database, queue, bases, and upload readers."""

    settings: Settings
    layout: Layout
    storage: Storage
    database: Database
    bases: Bases
    intake: ChildPool
    queue: JobQueue
    download: attachments.Download


@dataclass(frozen=True)
class TrainingRequest:
    """What a person asked for; None leaves it to the host, to the base, or to the text.

    Attributes:
        name: of the model.
        corpus: what it learns from.
        rights: the person's word that they may use the texts.
        level: what a token is.
        size: the recipe's preset.
        minutes: how long it may train.
        validation: what the loss is measured on.
        base: name of the model that it goes on from, or of a pretrained base of the host.
        quotes: the person's word that the server may see single lines of the corpus.
    """

    name: str
    corpus: discord.Attachment
    rights: bool
    level: str | None = None
    size: str | None = None
    minutes: float | None = None
    validation: discord.Attachment | None = None
    base: str | None = None
    quotes: bool = False


async def accept_request(interaction: Interaction, request: TrainingRequest) -> TrainingJob:
    """Check everything, store the texts and record the job.

    Raises:
        UserError: with the one line that says what stands against it; nothing is left behind.
        CorpusError: a text is none, or too short.
        InvalidNameError: no model can have this name.
    """
    bot: Services = interaction.client
    guild_id, user_id = guild_of(interaction), interaction.user.id
    most = bot.settings.max_queued_per_guild
    uploads = (request.corpus, request.validation)
    announced = sum(upload.size for upload in uploads if upload is not None)

    def look(session: Session) -> TextModel | OfferedBase | None:
        require_trainer(interaction, guilds.settings_of(session, guild_id))
        limits.require_room(session, guild_id, user_id, most_at_a_time=most)
        quotas.require_room(session, guild_id, bot.settings, name=request.name, added=announced)
        return _base(session, guild_id, request, bot.bases)

    base = await bot.database.call(look)
    if not request.rights:
        raise UserError(_("Please confirm that you may use this text: set `rights` to True."))
    minutes = _minutes(bot, request.minutes)
    name = clean_name(request.name)
    level = _level(request, base)
    _require_card_can_be_shown(interaction)
    await asyncio.to_thread(quotas.require_disk, bot.settings, announced)
    texts: list[AcceptedText] = []
    try:
        await _take_in(bot, guild_id, request, texts)

        def record(session: Session) -> TrainingJob:
            guilds.lock(session, guild_id)  # so that of two requests at once each counts the other
            limits.require_room(session, guild_id, user_id, most_at_a_time=most)
            stored = sum(text.size for text in texts)
            quotas.require_room(session, guild_id, bot.settings, name=name, added=stored)
            # Once more, because it may have been replaced during the upload.
            again = _base(session, guild_id, request, bot.bases)
            quotable = [request.quotes, False]  # nobody learns from the validation text
            ids = [
                _corpus_id(session, guild_id, user_id, text, quotable=allowed)
                for text, allowed in zip(texts, quotable, strict=False)
            ]
            _put_in_place(session, bot, texts)
            with i18n.speaking(i18n.ENGLISH):  # they are translated when the card is shown
                notes = _notes(texts[0], level, again, bot.bases)
            job = training_jobs.enqueue(
                session,
                guild_id,
                channel_id=interaction.channel_id or 0,
                requested_by=user_id,
                corpus_id=ids[0],
                model_name=name,
                minutes=minutes,
                level=level,
                size=request.size,
                validation_corpus_id=ids[1] if len(ids) > 1 else None,
                base_model_id=again.id if isinstance(again, TextModel) else None,
                pretrained=again.name if isinstance(again, OfferedBase) else None,
                notes="\n".join(notes),
            )
            bot.queue.enqueue_with(session, job)
            figures = {"level": level, "minutes": minutes, "characters": texts[0].stats.characters}
            audit.record(session, guild_id, user_id, "training.queued", name, **figures)
            if isinstance(again, TextModel):
                _keep(bot, job, again.bundle_path)
            return job

        job = await bot.database.call(record, write=True)
    except BaseException:
        await asyncio.shield(asyncio.to_thread(_forget, texts))
        raise
    log.info("training queued", guild=guild_id, job=job.id, characters=texts[0].stats.characters)
    return job


async def _take_in(bot: Services, guild_id: int, request: TrainingRequest, texts: list[AcceptedText]) -> None:
    """Read and store the texts, the corpus first. If one is refused, `texts` has those already stored."""
    for attachment, check in (
        (request.corpus, check_stats),
        (request.validation, intake.check_validation),
    ):
        if attachment is not None:
            path = bot.layout.upload(guild_id, f"{uuid4().hex}.raw")
            try:
                await attachments.save(attachment, bot.settings.max_corpus_bytes, bot.download, path)
                texts.append(
                    await bot.intake.call(
                        guild_id,
                        intake.accept,
                        path,
                        filename=attachment.filename,
                        guild_id=guild_id,
                        layout=bot.layout,
                        check=check,
                    )
                )
                # Before the row, so that whatever a row names is there.
                await asyncio.to_thread(bot.storage.store_file, texts[-1].upload, texts[-1].key)
            finally:
                await asyncio.to_thread(path.unlink, missing_ok=True)


def _base(
    session: Session, guild_id: int, request: TrainingRequest, bases: Bases
) -> TextModel | OfferedBase | None:
    if request.base is None:
        return None
    base = text_models.by_name(session, guild_id, request.base) or bases.named(request.base)
    if base is None:
        raise UnknownModel(request.base)
    if request.size is not None:
        raise UserError(_("A model trained from `base` keeps the size of its base: leave `size` out."))
    return base


def _level(request: TrainingRequest, base: TextModel | OfferedBase | None) -> str:
    if base is None:
        return request.level or DEFAULT_LEVEL
    if request.level not in (None, base.level):
        raise UserError(
            _(
                "A model trained from `base` keeps the level of its base, here `{level}`: leave `level` out."
            ).format(level=base.level)
        )
    return base.level


def _minutes(bot: Services, minutes: float | None) -> float:
    if minutes is None:
        return bot.settings.training_minutes
    most = bot.settings.max_training_minutes
    if minutes > most:
        raise UserError(
            _("You asked for {minutes} minutes; a training can take up to {most}.").format(
                minutes=f"{minutes:g}", most=f"{most:g}"
            )
        )
    return minutes


def _notes(text: AcceptedText, level: str, base: TextModel | OfferedBase | None, bases: Bases) -> list[str]:
    english = bases.for_english() if base is None else None
    return corpus_notes(
        text.stats,
        level,
        fine_tuned=isinstance(base, OfferedBase),
        english_base=english.name if english else None,
    )


def _corpus_id(session: Session, guild_id: int, user_id: int, text: AcceptedText, *, quotable: bool) -> int:
    return corpora.add(
        session,
        guild_id,
        sha256=text.sha256,
        filename=text.filename,
        path=text.key,
        characters=text.stats.characters,
        lines=text.stats.lines,
        symbols=text.stats.symbols,
        uploaded_by=user_id,
        rights_confirmed_at=datetime.datetime.now(datetime.UTC),
        size=text.size,
        quotable=quotable,
    ).id


def _keep(bot: Services, job: TrainingJob, bundle: str) -> None:
    """Copy the base, because it may be replaced or deleted while the job is queued."""
    try:
        bot.storage.copy_folder(bundle, keys.base_key(job.guild_id, job.id))
    except StorageError:
        raise
    except OSError as error:
        log.error("base cannot be kept", guild=job.guild_id, job=job.id, error=str(error))
        raise UserError(_("The base model cannot be read. Please train it again.")) from None


def _put_in_place(session: Session, bot: Services, texts: list[AcceptedText]) -> None:
    """Store the texts permanently. A concurrent deletion ends first, or keeps them."""
    retention.keep_files(session, [text.key for text in texts])
    try:
        for text in texts:
            bot.storage.settle(text.upload, text.key)
    except FileNotFoundError:
        raise UserError(
            _("This server's data was deleted during the upload. Upload the text again.")
        ) from None


def _forget(texts: list[AcceptedText]) -> None:
    """Delete the stored texts of a refused request."""
    for text in texts:
        text.forget()


def _require_card_can_be_shown(interaction: Interaction) -> None:
    lacking = lacking_to_post(interaction.app_permissions, interaction.channel)
    if lacking:
        raise UserError(
            _("I lack {permissions} in this channel, so the training's card could not be shown.").format(
                permissions=lacking
            )
        )
