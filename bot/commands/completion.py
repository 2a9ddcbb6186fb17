"""Choices while somebody types: what is known in time, or none: Discord waits for them as for any answer."""

from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands

from bot.answering import within_time
from bot.privacy_statement import Stored
from models import text_models

STORES: tuple[Stored, ...] = ()

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
    return [app_commands.Choice(name=name, value=name) for name in names]
