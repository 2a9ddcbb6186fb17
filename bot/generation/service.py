"""From a wish to texts: permission, the guild's model, the sampler. The way of `/generate` and buttons."""

import dataclasses
import random
import secrets
from dataclasses import dataclass
from pathlib import Path

import discord
from sqlalchemy.orm import Session

from bot.embeds.sample_message import Sample
from bot.errors import NoModels, SampleRefused, UnknownModel
from bot.generation.pool import SampleRequest, SamplerPool, SampleText
from bot.guilds.permissions import guild_of, require_channel, require_generator
from bot.guilds.settings import MAX_LENGTH
from bot.i18n import _
from bot.text import hidden_words
from bot.text.cleaning import clean
from models import Corpus, Database, GuildSettings, TextModel, guilds, text_models
from textgen.errors import NEVER_SEEN

MAX_SEED_CHARACTERS = 500
MAX_COUNT = 5
# The largest whole number of Discord's options, less those that the further texts of a message take.
MAX_RANDOM_SEED = 2**53 - MAX_COUNT
# Those drawn by us are short to type.
DRAWN_BELOW = 2**32
# A top-p of 0 is meant as "the likeliest alone", which is what a very small one gives.
SMALLEST_TOP_P = 1e-9
# So often a text that repeats its corpus is drawn again.
REDRAWN = 3
ENDED_EARLY = "finish requested"


@dataclass(frozen=True)
class SampleWish:
    """What a person asked for; None leaves it to the guild or to chance.

    Attributes:
        model: a name as typed, or a model's id from a button.
        seed: text to go on from; empty: a line start of the corpus.
        length: characters, or words at word level.
        temperature: 0 is greedy.
        random_seed: draws the same text again.
        reproduces: a person named the random seed, so the text comes out the same whatever it copies.
        top_p: only the likeliest that together have this probability.
        count: texts to choose from.
        private: for the person's eyes alone.
        found: the seed was found, not typed.
    """

    model: str | int | None = None
    seed: str = ""
    length: int | None = None
    temperature: float | None = None
    random_seed: int | None = None
    reproduces: bool = False
    top_p: float | None = None
    count: int = 1
    private: bool = False
    found: bool = False


@dataclass(frozen=True)
class Generated:
    """Samples with the settings that were used; the guild's hidden words are hidden."""

    samples: tuple[Sample, ...]
    model_id: int
    length: int

    @property
    def sample(self) -> Sample:
        """The first, or the only one."""
        return self.samples[0]


@dataclass(frozen=True)
class Prepared:
    """What a wish is granted with."""

    model: TextModel
    settings: GuildSettings
    corpus: Corpus | None


async def prepare(
    interaction: discord.Interaction[discord.Client], database: Database, wish: SampleWish
) -> Prepared:
    """The guild's model for the wish, with its corpus.

    Raises:
        PermissionRefused: the guild chose a role that the person lacks, or another channel.
        UnknownModel: the guild has no such model.
        NoModels: the guild has none at all.
    """

    def look_up(session: Session, guild_id: int) -> tuple[GuildSettings, TextModel | None, Corpus | None]:
        settings = guilds.settings_of(session, guild_id)
        wanted = settings.default_model_id if wish.model is None else wish.model
        return settings, *text_models.with_corpus(session, guild_id, wanted)

    settings, model, corpus = await database.call(look_up, guild_of(interaction))
    require_generator(interaction, settings)
    require_channel(interaction, settings)
    if model is None:
        if wish.model is None:
            raise NoModels
        raise UnknownModel(wish.model if isinstance(wish.model, str) else None)
    return Prepared(model, settings, corpus)


async def generate(
    pool: SamplerPool,
    model: TextModel,
    settings: GuildSettings,
    wish: SampleWish,
    *,
    corpus: Corpus | None = None,
) -> Generated:
    """Sample the wish from the model.

    A text that repeats more of its corpus than the guild allows is drawn again, unless a person named its
    random seed: then it must come out the same, and says so. What is drawn again follows from the wish's
    random seed, so that the same wish gives the same text in every attempt. From here on the guild's hidden
    words are those of its settings (`hidden_words.current`).

    Raises:
        SampleRefused: the model cannot go on from this seed, or its bundle is damaged.
        SamplerUnavailable: no sampler answered.
        ServerBusy: the guild asks for too much at a time.
    """
    hidden_words.current.set(settings.hidden_words)
    watched = corpus is not None and corpus.text_deleted_at is None and settings.longest_copy > 0
    request = SampleRequest(
        bundle=Path(model.bundle_path),
        seed=clean(wish.seed),  # what the message shows of it gives the same text again
        length=min(wish.length or settings.length, MAX_LENGTH),
        temperature=settings.temperature if wish.temperature is None else wish.temperature,
        random_seed=secrets.randbelow(DRAWN_BELOW) if wish.random_seed is None else wish.random_seed,
        top_p=None if wish.top_p is None else max(wish.top_p, SMALLEST_TOP_P),
        count=wish.count,
        corpus=Path(corpus.path) if corpus is not None and watched else None,
        longest_copy=settings.longest_copy,
        server=model.guild_id,
    )
    try:
        texts = await pool.samples(request)
    except SampleRefused as refusal:
        if wish.found and refusal.line == NEVER_SEEN:
            raise SampleRefused(_("The model has never seen a single character of this text.")) from None
        raise
    drawn_by_chance = request.temperature > 0 or not wish.seed
    if not wish.reproduces and drawn_by_chance:
        texts = await _without_copies(pool, request, texts)
    samples = tuple(_shown(model, settings, wish, request, text) for text in texts)
    return Generated(samples, model.id, request.length)


def _shown(
    model: TextModel, settings: GuildSettings, wish: SampleWish, request: SampleRequest, text: SampleText
) -> Sample:
    seed, written = hidden_words.hide_in([text.seed, text.text], settings.hidden_words)
    return Sample(
        model_name=model.name,
        seed=seed,
        text=written,
        temperature=request.temperature,
        random_seed=text.random_seed,
        top_p=wish.top_p,
        copied=text.copied,
        ended_early=text.training == ENDED_EARLY,
        left_out=text.unseen,
    )


async def _without_copies(
    pool: SamplerPool, request: SampleRequest, texts: tuple[SampleText, ...]
) -> tuple[SampleText, ...]:
    """The texts, copies drawn again; of several tries the one that repeats the least."""
    kept = list(texts)
    seeds = random.Random(request.random_seed)  # noqa: S311 -- no secret
    for _attempt in range(REDRAWN):
        copies = [number for number, text in enumerate(kept) if text.copied]
        if not copies:
            break
        seed = seeds.randrange(DRAWN_BELOW)
        drawn = await pool.samples(dataclasses.replace(request, random_seed=seed, count=len(copies)))
        for number, text in zip(copies, drawn, strict=True):
            kept[number] = min(kept[number], text, key=lambda text: text.copied)
    return tuple(kept)
