"""Choices while somebody types an option: `@app_commands.autocomplete(model=autocomplete.models)`.

Discord waits for choices as for any answer, so a look-up that takes too long gives none.
"""

from collections.abc import Sequence

from discord import app_commands
from sqlalchemy.orm import Session

from bot.bundles.blends import may_fit
from bot.client import Interaction
from bot.guilds import time_zones
from bot.guilds.permissions import manages_guild
from bot.text import hidden_words, safe_text
from bot.views.answering import within_time
from models import guilds, text_models
from models.tables import NAME_CHARACTERS
from models.training.names import key_of

# The most that Discord shows.
CHOICES = 25

Choices = list[app_commands.Choice[str]]


async def models(interaction: Interaction, typed: str) -> Choices:
    """The server's models whose names begin with what was typed."""
    if interaction.guild_id is None:
        return []
    looked_up = interaction.client.database.call(
        text_models.names_starting, interaction.guild_id, typed, CHOICES
    )
    return _choices(await within_time(looked_up, ()))


async def models_to_blend(interaction: Interaction, typed: str) -> Choices:
    """The server's models that fit the one that was chosen, as far as their rows tell."""
    if interaction.guild_id is None:
        return []
    chosen = getattr(interaction.namespace, "model", None)

    def look_up(session: Session, guild_id: int) -> Sequence[str]:
        wanted = chosen or guilds.settings_of(session, guild_id).default_model_id
        model, _ = text_models.with_corpus(session, guild_id, wanted)
        others = text_models.listing(session, guild_id) if model is not None else ()
        fit = [each for each in others if model is not None and each.id != model.id and may_fit(model, each)]
        return [each.name for each in fit if each.name_key.startswith(key_of(typed))][:CHOICES]

    looked_up = interaction.client.database.call(look_up, interaction.guild_id)
    return _choices(await within_time(looked_up, ()))


async def models_and_bases(interaction: Interaction, typed: str) -> Choices:
    """The same, and the pretrained bases of the host whose names begin with what was typed."""
    bases = [
        app_commands.Choice(name=safe_text.shorten(base.described(), NAME_CHARACTERS), value=base.choice)
        for base in interaction.client.bases.matching(typed)
    ]
    return [*(await models(interaction, typed))[: CHOICES - len(bases)], *bases]


async def models_for_managers(interaction: Interaction, typed: str) -> Choices:
    """The same for those who manage the server; nothing for others."""
    return await models(interaction, typed) if manages_guild(interaction) else []


async def time_zones_matching(interaction: Interaction, typed: str) -> Choices:
    """IANA names of time zones that match what was typed."""
    del interaction
    return [app_commands.Choice(name=zone, value=zone) for zone in time_zones.matching(typed, CHOICES)]


def _choices(names: Sequence[str]) -> Choices:
    return [
        app_commands.Choice(name=safe_text.shorten(hidden_words.veil(name), NAME_CHARACTERS), value=name)
        for name in names
    ]
