"""From a request to samples: permission, limits, the server's model, the samplers. The way of `/generate`."""

import dataclasses
import random
from pathlib import Path
from typing import Any, Protocol

import discord
from sqlalchemy.orm import Session

from bot.errors import NoModels, SampleRefused, UnknownModel
from bot.generation.limits import Admission, Cooldowns
from bot.generation.pool import SamplerPool
from bot.generation.request import DRAWN_BELOW, Generated, GenerationRequest, Sample
from bot.generation.sampler_protocol import SampledText, SamplerRequest
from bot.generation.usage import GenerationCounter
from bot.guilds.permissions import guild_of, require_channel, require_generator
from bot.i18n import _
from bot.text import hidden_words
from bot.text.cleaning import clean
from models import Corpus, Database, GuildSettings, TextModel, guilds, text_models
from textgen.errors import NEVER_SEEN
from textgen.files.bases import LLAMA

# A text that copies its corpus is drawn again so many times.
REDRAWN = 3
ENDED_EARLY = "finish requested"


class Services(Protocol):
    """What a request needs of the bot."""

    database: Database
    admission: Admission
    cooldowns: Cooldowns
    pool: SamplerPool
    generations: GenerationCounter


async def generate(interaction: discord.Interaction[Any], request: GenerationRequest) -> Generated:
    """Sample what a person asks for, if they may and do not ask too much.

    Args:
        interaction: the command or the button, from a server.
        request: what to sample.

    Raises:
        PermissionRefused: the server chose a role that the person lacks, or another channel.
        ServerBusy: the server has too many open requests.
        OnCooldown: the person asked a moment ago.
        UnknownModel: the server has no such model.
        NoModels: the server has no model at all.
        SampleRefused: the model cannot continue this seed, or its bundle is damaged.
        SamplerUnavailable: no sampler answered.
    """
    bot: Services = interaction.client
    guild_id = guild_of(interaction)

    def look_up(session: Session) -> tuple[GuildSettings, TextModel | None, Corpus | None]:
        settings = guilds.settings_of(session, guild_id)
        wanted = settings.default_model_id if request.model is None else request.model
        return settings, *text_models.with_corpus(session, guild_id, wanted)

    with bot.admission.admitted(guild_id):
        settings, model, corpus = await bot.database.call(look_up)
        require_generator(interaction, settings)
        require_channel(interaction, settings)
        if model is None:
            if request.model is None:
                raise NoModels
            raise UnknownModel(request.model if isinstance(request.model, str) else None)
        bot.cooldowns.take(guild_id, interaction.user.id, settings.cooldown_s)
        generated = await sample(bot.pool, model, settings, request, corpus=corpus)
    bot.generations.add(guild_id, generated.model_id, len(generated.samples))
    return generated


async def sample(
    pool: SamplerPool,
    model: TextModel,
    settings: GuildSettings,
    request: GenerationRequest,
    *,
    corpus: Corpus | None = None,
) -> Generated:
    """Sample from a model of the server, whoever asks.

    A text that copies more of its corpus than the server allows is drawn again, unless a person chose its
    random seed: then the text must come out the same, and the copy is reported. The random seeds of further
    draws follow from the first one, so that the same request always gives the same text. From here on the
    server's hidden words are those of `settings` (`hidden_words.current`).

    Args:
        pool: the samplers.
        model: row of the model.
        settings: the server's.
        request: what to sample; its `model` is not looked at.
        corpus: row of the text that the model learned from; None: unknown.

    Raises:
        SampleRefused: the model cannot continue this seed, or its bundle is damaged.
        SamplerUnavailable: no sampler answered.
    """
    hidden_words.current.set(settings.hidden_words)
    watched = corpus is not None and corpus.text_deleted_at is None and settings.longest_copy > 0
    options = request.options.completed(settings)
    for_sampler = SamplerRequest(
        bundle=Path(model.bundle_path),
        seed=clean(request.seed),  # a seed read back from the message gives the same text again
        options=options,
        corpus=Path(corpus.path) if corpus is not None and watched else None,
        longest_copy=settings.longest_copy,
        guild_id=model.guild_id,
        pretrained=model.cell == LLAMA,
    )
    try:
        texts = await pool.samples(for_sampler)
    except SampleRefused as refusal:
        if request.found and refusal.line == NEVER_SEEN:
            raise SampleRefused(_("The model has never seen a single character of this text.")) from None
        raise
    is_random = options.temperature != 0 or not request.seed
    if is_random and not request.exact:
        texts = await _without_copies(pool, for_sampler, texts)
    samples = tuple(_shown(model, settings, for_sampler, text) for text in texts)
    return Generated(samples, model.id, options)


def _shown(model: TextModel, settings: GuildSettings, request: SamplerRequest, text: SampledText) -> Sample:
    seed, written = hidden_words.hide_in([text.seed, text.text], settings.hidden_words)
    return Sample(
        model_name=model.name,
        seed=seed,
        text=written,
        options=dataclasses.replace(request.options, random_seed=text.random_seed),
        copied=text.copied,
        ended_early=text.training == ENDED_EARLY,
        left_out=text.unseen,
        receipt=text.receipt,
    )


async def _without_copies(
    pool: SamplerPool, request: SamplerRequest, texts: tuple[SampledText, ...]
) -> tuple[SampledText, ...]:
    """Draw copies again, and of all draws keep the text that copies the least."""
    kept = list(texts)
    seeds = random.Random(request.options.random_seed)  # noqa: S311 -- no secret
    for _attempt in range(REDRAWN):
        copies = [number for number, text in enumerate(kept) if text.copied]
        if not copies:
            break
        options = dataclasses.replace(
            request.options, random_seed=seeds.randrange(DRAWN_BELOW), count=len(copies)
        )
        drawn = await pool.samples(dataclasses.replace(request, options=options))
        for number, text in zip(copies, drawn, strict=True):
            kept[number] = min(kept[number], text, key=lambda text: text.copied)
    return tuple(kept)
