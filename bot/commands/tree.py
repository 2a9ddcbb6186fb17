"""The command tree: what every command has in common before it runs and after it failed."""

from collections.abc import Sequence
from typing import Any, cast

import discord
from discord import app_commands

from bot.text.cleaning import storable
from bot.views.answering import address, answer_error

Interaction = discord.Interaction[Any]


class AnsweringTree(app_commands.CommandTree[Any]):
    """A command tree that answers every error: of checks, of options, and what no command expected."""

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """Allow every command; choose the person's language, and keep what no database can hold out."""
        address(interaction)
        _make_storable(cast("dict[str, Any]", interaction.data or {}).get("options", ()))
        return True

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """Answer an error that a check, an option or the command itself raised."""
        await answer_error(interaction, error)


def _make_storable(options: Sequence[dict[str, Any]]) -> None:
    """Remove from the texts among a command's options what no database can hold."""
    for option in options:
        if isinstance(option.get("value"), str):
            option["value"] = storable(option["value"])
        _make_storable(option.get("options", ()))
