"""Choices while somebody types: what is known in time, or none: Discord waits for them as for any answer."""

from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands

from bot.text import hidden_words, safe_text
from bot.views.answering import within_time
from models import text_models
from models.tables import NAME_CHARACTERS

CHOICES = 25


async def models(interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
    """The server's models whose names begin so."""
    if interaction.guild_id is None:
        return []
    nothing: Sequence[str] = ()
    looked_up = interaction.client.database.call(
        text_models.names_starting, interaction.guild_id, typed, CHOICES
    )
    names = await within_time(looked_up, nothing)
    return [app_commands.Choice(name=_shown(name), value=name) for name in names]


def _shown(name: str) -> str:
    return safe_text.shorten(hidden_words.veil(name), NAME_CHARACTERS)
