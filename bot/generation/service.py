"""From a request to samples: permission, limits, the server's model, the samplers. The way of `/generate`."""

import asyncio
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import discord
from sqlalchemy.orm import Session

from bot.bundles.blends import Unfit, fitting, may_fit, name_of_blend
from bot.errors import NoModels, SampleRefused, SamplerUnavailable, UnknownModel
from bot.generation.limits import Admission, Cooldowns
from bot.generation.pool import SamplerPool
from bot.generation.request import Blend, Generated, GenerationRequest, Sample
from bot.generation.sampler_protocol import Blended, SampledText, SamplerRequest
from bot.generation.usage import GenerationCounter
from bot.guilds.permissions import guild_of, require_channel, require_generator
from bot.i18n import _
from bot.infra.storage.storage import Storage
from bot.text import hidden_words
from bot.text.cleaning import clean
from models import Corpus, Database, GuildSettings, TextModel, guilds, text_models
from textgen.errors import DIFFERENT_TOKENS, NEVER_SEEN
from textgen.files.bases import LLAMA

ENDED_EARLY = "finish requested"


_Found = tuple[TextModel | None, Corpus | None]


@dataclass(frozen=True)
class Other:
    """The second model of a blend.

    Attributes:
        model: row of the model.
        corpus: row of the text that it learned from; None: unknown.
        mix: its share, 0 to 1.
    """

    model: TextModel
    corpus: Corpus | None
    mix: float

    def for_sampler(self, settings: GuildSettings) -> Blended:
        """What a sampler process needs of it."""
        return Blended(Path(self.model.bundle_path), self.mix, _watched(self.corpus, settings))


class Services(Protocol):
    """What a request needs of the bot."""

    database: Database
    admission: Admission
    cooldowns: Cooldowns
    pool: SamplerPool
    generations: GenerationCounter
    storage: Storage


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
        Unfit: the two models cannot be blended.
        SampleRefused: the model cannot continue this seed, or its bundle is damaged.
        SamplerUnavailable: no sampler answered.
    """
    bot: Services = interaction.client
    guild_id = guild_of(interaction)

    def look_up(session: Session) -> tuple[GuildSettings, tuple[_Found, ...]]:
        settings = guilds.settings_of(session, guild_id)
        wanted = [settings.default_model_id if request.model is None else request.model]
        wanted += [request.blend.model] if request.blend else []
        return settings, tuple(text_models.with_corpus(session, guild_id, each) for each in wanted)

    with bot.admission.admitted(guild_id):
        settings, found = await bot.database.call(look_up)
        require_generator(interaction, settings)
        require_channel(interaction, settings)
        if found[0][0] is None and request.model is None:
            raise NoModels
        model, corpus = _known(found[0], request.model)
        other = None
        if request.blend is not None:
            other = Other(*_known(found[1], request.blend.model), request.blend.mix)
            if not may_fit(model, other.model):
                raise await _unfit(bot, model, other.model)
        bot.cooldowns.take(guild_id, interaction.user.id, settings.cooldown_s)
        try:
            generated = await sample(bot.pool, model, settings, request, corpus=corpus, other=other)
        except SampleRefused as refusal:
            if other is not None and refusal.line == DIFFERENT_TOKENS:
                raise await _unfit(bot, model, other.model) from None
            raise
    for model_id in {generated.model_id, *([other.model.id] if other else [])}:
        bot.generations.add(guild_id, model_id, len(generated.samples))
    return generated


def _known(found: _Found, wanted: str | int | None) -> tuple[TextModel, Corpus | None]:
    model, corpus = found
    if model is None:
        raise UnknownModel(wanted if isinstance(wanted, str) else None)
    return model, corpus


async def _unfit(bot: Services, model: TextModel, other: TextModel) -> Unfit:
    models = await bot.database.call(text_models.listing, model.guild_id)
    return Unfit(model, other, await asyncio.to_thread(fitting, model, models, bot.storage))


async def sample(
    pool: SamplerPool,
    model: TextModel,
    settings: GuildSettings,
    request: GenerationRequest,
    *,
    corpus: Corpus | None = None,
    other: Other | None = None,
) -> Generated:
    """Sample from a model of the server, whoever asks.

    A text that copies more of its corpus than the server allows is written again with the same random seed,
    and kept from copying (`textgen.sampling.novelty.passages`). So the same request always gives the same
    text. From here on the server's hidden words are those of `settings` (`hidden_words.current`).

    Args:
        pool: the samplers.
        model: row of the model.
        settings: the server's.
        request: what to sample; its `model` is not looked at.
        corpus: row of the text that the model learned from; None: unknown.
        other: the model that it is blended with; None for the model alone.

    Raises:
        SampleRefused: the model cannot continue this seed, or its bundle is damaged.
        SamplerUnavailable: no sampler answered.
    """
    hidden_words.current.set(settings.hidden_words)
    options = request.options.completed(settings)
    for_sampler = SamplerRequest(
        bundle=Path(model.bundle_path),
        seed=clean(request.seed),  # a seed read back from the message gives the same text again
        options=options,
        corpus=_watched(corpus, settings),
        longest_copy=settings.longest_copy,
        guild_id=model.guild_id,
        pretrained=model.cell == LLAMA,
        blended=None if other is None else other.for_sampler(settings),
    )
    try:
        texts = await pool.samples(for_sampler)
    except SampleRefused as refusal:
        if request.found and refusal.line == NEVER_SEEN:
            raise SampleRefused(_("The model has never seen a single character of this text.")) from None
        raise
    texts = tuple(await asyncio.gather(*(without_copies(pool, for_sampler, text) for text in texts)))
    name = model.name if other is None else name_of_blend(model, other.model, other.mix)
    samples = tuple(_shown(name, settings, for_sampler, text) for text in texts)
    blend = None if other is None else Blend(other.model.id, other.mix)
    return Generated(samples, model.id, options, blend)


def _watched(corpus: Corpus | None, settings: GuildSettings) -> Path | None:
    """The text that samples should not repeat."""
    watched = corpus is not None and corpus.text_deleted_at is None and settings.longest_copy > 0
    return Path(corpus.path) if corpus is not None and watched else None


def _shown(name: str, settings: GuildSettings, request: SamplerRequest, text: SampledText) -> Sample:
    seed, written = hidden_words.hide_in([text.seed, text.text], settings.hidden_words)
    return Sample(
        model_name=name,
        seed=seed,
        text=written,
        options=dataclasses.replace(request.options, random_seed=text.random_seed),
        copied=text.copied,
        ended_early=text.training == ENDED_EARLY,
        left_out=text.unseen,
        receipt=text.receipt,
    )


async def without_copies(pool: SamplerPool, request: SamplerRequest, text: SampledText) -> SampledText:
    """Write a text again if it copies its corpus, and return the one that copies less.

    Args:
        pool: the samplers.
        request: what was asked of it.
        text: one of the texts that it wrote.
    """
    if not text.copied:
        return text
    options = dataclasses.replace(request.options, random_seed=text.random_seed, count=1)
    # Texts that are kept from copying have many passages of just the allowed length, so it is one less.
    stricter = dataclasses.replace(
        request, options=options, original=True, longest_copy=request.longest_copy - 1
    )
    try:
        (again,) = await pool.samples(stricter)
    except (SamplerUnavailable, SampleRefused):
        return text  # a text that says that it is a copy is better than none
    if again.copied <= request.longest_copy:
        return dataclasses.replace(again, copied=0)
    return min(text, again, key=lambda each: each.copied)
