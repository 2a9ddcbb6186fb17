"""From `/game play` to a round: permission and limits, a model, and a line of its text or of its own."""

import asyncio
import datetime
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import discord
from sqlalchemy.orm import Session

from bot import i18n
from bot.authorship.asking import likelihood_request
from bot.errors import SamplerUnavailable, UnknownModel, UserError
from bot.game.lines import is_fit, real_lines, written_lines
from bot.generation import service
from bot.generation.request import SamplingOptions
from bot.generation.sampler_protocol import Likelihood, SamplerRequest
from bot.guilds.permissions import guild_of, lacking_to_post, require_channel, require_generator
from bot.i18n import _
from bot.infra.steady_clock import SteadyClock
from bot.infra.storage.errors import StorageError
from bot.text import hidden_words, safe_text
from models import Corpus, GameRound, GuildSettings, TextModel, games, guilds, text_models
from textgen.files.bases import LLAMA

ROUND = datetime.timedelta(minutes=1)
# A model writes so many texts of so many characters, so many times, until one of their lines is fit.
_TEXTS, _CHARACTERS, _ATTEMPTS = 4, 700, 3
# Real lines that the model is asked about until one is fit as the model reads it.
_REAL_LINES = 6

Playable = Sequence[tuple[TextModel, Corpus]]

chance: random.Random = random.SystemRandom()
"""Decides; tests replace it."""


class Services(service.Services, Protocol):
    """What a round needs of the bot: what a request for a text needs, and the clock."""

    clock: SteadyClock


@dataclass(frozen=True)
class NewRound:
    """A round whose message is not sent yet.

    Attributes:
        row: its row.
        line: what people judge.
        model: whose text it is about.
    """

    row: GameRound
    line: str
    model: TextModel


async def begin(interaction: discord.Interaction[Any], wanted: str | None) -> NewRound:
    """Begin a round in the channel of a command.

    Args:
        interaction: the command, from a server.
        wanted: name of the model; None for any that can be played with.

    Raises:
        UserError: with the one line that says what stands against it; no round is left behind.
    """
    bot: Services = interaction.client
    guild_id, channel_id = guild_of(interaction), interaction.channel_id or 0

    def look_up(session: Session) -> tuple[GuildSettings, Playable, TextModel | None]:
        named = None if wanted is None else text_models.by_name(session, guild_id, wanted)
        if games.is_open_in(session, guild_id, channel_id):
            raise UserError(_under_way())
        return guilds.settings_of(session, guild_id), games.playable(session, guild_id), named

    with bot.admission.admitted(guild_id):
        settings, playable, named = await bot.database.call(look_up)
        require_generator(interaction, settings)
        require_channel(interaction, settings)
        lacking = lacking_to_post(interaction.app_permissions, interaction.channel)
        if lacking:
            raise UserError(
                _("I lack {permissions} in this channel, so I could not tell the solution.").format(
                    permissions=lacking
                )
            )
        model, corpus = _chosen(playable, named, wanted)
        bot.cooldowns.take(guild_id, interaction.user.id, settings.cooldown_s)
        hidden_words.current.set(settings.hidden_words)
        # Both are made each time: how long the answer takes must not tell which one is shown.
        real = await _real(bot, model, corpus, settings)
        pastiche = await _pastiche(bot, model, corpus, settings)
        is_real = chance.random() < 0.5
        line, likelihood = real if is_real else pastiche

    def record(session: Session) -> GameRound:
        guilds.lock(session, guild_id)  # so that of two rounds at once one is refused
        if games.is_open_in(session, guild_id, channel_id):
            raise UserError(_under_way())
        if not games.may_be_quoted(session, guild_id, corpus.id):  # deleted meanwhile
            raise UserError(_no_lines(model.name))
        return games.begin(
            session,
            guild_id,
            channel_id=channel_id,
            started_by=interaction.user.id,
            model_id=model.id,
            is_real=is_real,
            nats_per_word=likelihood.nats_per_word,
            expected_per_word=likelihood.expected_per_word,
            locale=i18n.locale.get(),
            closes_at=bot.clock() + ROUND,
        )

    return NewRound(await bot.database.call(record, write=True), line, model)


def _chosen(playable: Playable, named: TextModel | None, wanted: str | None) -> tuple[TextModel, Corpus]:
    if wanted is not None and named is None:
        raise UnknownModel(wanted)
    fit = [each for each in playable if named is None or each[0].id == named.id]
    if not fit:
        raise UserError(_no_lines(None if named is None else named.name))
    return chance.choice(fit)


async def _real(
    bot: Services, model: TextModel, corpus: Corpus, settings: GuildSettings
) -> tuple[str, Likelihood]:
    """A line of the corpus, as the model reads it: capitals must not tell what it is."""
    for line in await _with_text(bot, corpus, real_lines, settings.hidden_words, chance, _REAL_LINES):
        likelihood = await bot.pool.likelihood(likelihood_request(model, line))
        shown = likelihood.as_read
        if await asyncio.to_thread(is_fit, shown, settings.hidden_words):
            return shown, likelihood
    raise UserError(_("I find no line in the text of {model} that can be shown.").format(model=_safe(model)))


async def _pastiche(
    bot: Services, model: TextModel, corpus: Corpus, settings: GuildSettings
) -> tuple[str, Likelihood]:
    """A line that the model writes and that stands nowhere in the corpus."""
    for _attempt in range(_ATTEMPTS):
        options = SamplingOptions(_CHARACTERS, count=_TEXTS).completed(settings)
        request = SamplerRequest(
            Path(model.bundle_path),
            "",
            options,
            corpus=Path(corpus.path) if settings.longest_copy else None,
            longest_copy=settings.longest_copy,
            guild_id=model.guild_id,
            pretrained=model.cell == LLAMA,
        )
        written = [text.text for text in await bot.pool.samples(request) if not text.copied]
        lines = await _with_text(bot, corpus, written_lines, written, settings.hidden_words, chance)
        for line in lines[:1]:
            return line, await bot.pool.likelihood(likelihood_request(model, line))
    raise UserError(_("{model} writes no line that can be shown. Try again.").format(model=_safe(model)))


async def _with_text(bot: Services, corpus: Corpus, look: Any, *args: Any) -> list[str]:
    """Return what a function finds with the stored text; it runs in a thread."""

    def lease() -> list[str]:
        with bot.storage.lease(corpus.path) as path:
            found: list[str] = look(path, *args)
            return found

    try:
        return await asyncio.to_thread(lease)
    except StorageError:
        raise
    except OSError:
        raise SamplerUnavailable(
            _("The text cannot be read at this moment. Please try again later.")
        ) from None


def _safe(model: TextModel) -> str:
    return safe_text.safe(model.name)


def _under_way() -> str:
    return _("A round is under way in this channel. Its solution comes within a minute.")


def _no_lines(name: str | None) -> str:
    if name is None:
        return _(
            "No model here was trained with lines that may be shown. /train with `quotes` set to True "
            "allows it."
        )
    return _(
        "Nobody allowed that lines of the text of {model} are shown. /train with `quotes` set to True "
        "allows it."
    ).format(model=safe_text.safe(name))
