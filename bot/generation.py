"""From a wish to a sample: permission, the guild's model, the sampler. The way of `/generate` and Again."""

import secrets
from dataclasses import dataclass
from pathlib import Path

import discord
from sqlalchemy.orm import Session

from bot.errors import NoModels, UnknownModel, guild_of
from bot.permissions import require_generator
from bot.presentation.sample_message import Sample
from bot.sampling.pool import SampleRequest, SamplerPool
from models import Database, GuildSettings, TextModel, guilds, text_models

MAX_LENGTH = 2000
MAX_TEMPERATURE = 2.0
MAX_SEED_CHARACTERS = 500
MAX_RANDOM_SEED = 2**32 - 1


@dataclass(frozen=True)
class SampleWish:
    """What a person asked for; None leaves it to the guild or to chance.

    Attributes:
        model: a name as typed, or a model's id from a button.
        seed: text to go on from; empty: a line start of the corpus.
        length: characters.
        temperature: 0 is greedy.
        random_seed: draws the same text again.
    """

    model: str | int | None = None
    seed: str = ""
    length: int | None = None
    temperature: float | None = None
    random_seed: int | None = None


@dataclass(frozen=True)
class Generated:
    """A sample with the settings that were used."""

    sample: Sample
    model_id: int
    length: int


async def prepare(
    interaction: discord.Interaction[discord.Client], database: Database, wish: SampleWish
) -> tuple[TextModel, GuildSettings]:
    """The guild's model for the wish.

    Raises:
        PermissionRefused: the guild chose a role that the person lacks.
        UnknownModel: the guild has no such model.
        NoModels: the guild has none at all.
    """

    def look_up(session: Session, guild_id: int) -> tuple[GuildSettings, TextModel | None]:
        settings = guilds.settings_of(session, guild_id)
        if isinstance(wish.model, int):
            return settings, text_models.get(session, guild_id, wish.model)
        if wish.model is not None:
            return settings, text_models.by_name(session, guild_id, wish.model)
        if settings.default_model_id is not None:
            return settings, text_models.get(session, guild_id, settings.default_model_id)
        models = text_models.listing(session, guild_id)
        return settings, max(models, key=lambda model: (model.updated_at, model.id), default=None)

    settings, model = await database.call(look_up, guild_of(interaction))
    require_generator(interaction, settings)
    if model is None:
        if wish.model is None:
            raise NoModels
        raise UnknownModel(wish.model if isinstance(wish.model, str) else None)
    return model, settings


async def generate(
    pool: SamplerPool, model: TextModel, settings: GuildSettings, wish: SampleWish
) -> Generated:
    """Sample the wish from the model.

    Raises:
        SampleRefused: the model cannot go on from this seed, or its bundle is damaged.
        SamplerUnavailable: no sampler answered.
    """
    length = min(wish.length or settings.length, MAX_LENGTH)
    temperature = settings.temperature if wish.temperature is None else wish.temperature
    random_seed = secrets.randbelow(MAX_RANDOM_SEED + 1) if wish.random_seed is None else wish.random_seed
    answer = await pool.sample(
        SampleRequest(Path(model.bundle_path), wish.seed, length, temperature, random_seed)
    )
    sample = Sample(model.name, answer.seed, answer.text, temperature, answer.random_seed)
    return Generated(sample, model.id, length)
