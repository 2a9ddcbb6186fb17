"""`/about`: version, uptime, what is stored, and the licence."""

import contextlib
import functools
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Interaction, Pastiche
from bot.embeds.about_card import about_card
from bot.infra.version import DISTRIBUTION
from bot.views.answering import Ack, answer, answers


class About(commands.Cog):
    """What this bot is."""

    def __init__(self) -> None:
        self._started_at = discord.utils.utcnow()

    @app_commands.command(description="Show version, uptime, what is stored, and the licence.")
    @answers(Ack.PRIVATELY)
    async def about(self, interaction: Interaction) -> None:
        """Answer with a card that only the person sees."""
        await answer(interaction, embeds=[about_card(_package(), self._started_at)])


@functools.cache
def _package() -> Mapping[str, Any]:
    """Return the metadata of the installed package; empty where the code runs without being installed."""
    with contextlib.suppress(metadata.PackageNotFoundError):
        return metadata.metadata(DISTRIBUTION).json
    return {}


async def setup(bot: Pastiche) -> None:
    """Add the commands to the bot."""
    await bot.add_cog(About())
