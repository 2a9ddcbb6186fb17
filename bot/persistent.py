"""What buttons and menus that outlive a restart share: they are made anew from the id that Discord sends."""

import abc
import re
from typing import Any, Self, TypeVar

import discord

from bot.errors import answers_everything

Button = discord.ui.Button[discord.ui.View]
Select = discord.ui.Select[discord.ui.View]
ItemT = TypeVar("ItemT", Button, Select)


class PersistentItem(abc.ABC, discord.ui.DynamicItem[ItemT], template=r"(?!)"):
    """Knows nothing but what its id says, and looks up the rest where it is used.

    Whoever presses it, wherever: rights, server and what the id stands for are checked in `pressed`.
    """

    @classmethod
    def made_from(cls, match: re.Match[str]) -> Self:
        """Return the item that an id stands for; one whose id says nothing needs no arguments."""
        del match
        return cls()  # type: ignore[call-arg]  # such a class's own constructor takes none

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[discord.Client],
        item: discord.ui.Item[discord.ui.View],
        match: re.Match[str],
        /,
    ) -> Self:
        """Build the item anew; what was chosen in a menu comes with the interaction."""
        del interaction, item
        return cls.made_from(match)

    @answers_everything
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do what it is there for; whatever goes wrong is answered."""
        await self.pressed(interaction)

    @abc.abstractmethod
    async def pressed(self, interaction: discord.Interaction[Any]) -> None:
        """Answer the interaction."""
