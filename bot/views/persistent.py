"""What buttons and menus that outlive a restart share, and forms: what Discord sends says all they know."""

import abc
import re
from typing import Any, ClassVar, Self, TypeVar

import discord

from bot.views.answering import Ack, run_answering

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

    def ack(self, interaction: discord.Interaction[Any]) -> Ack:
        """How the press is acknowledged, which is said without a look-up."""
        del interaction
        return Ack.PRIVATELY

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Acknowledge, and do what it is there for; whatever goes wrong is answered."""
        await run_answering(interaction, self.ack(interaction), lambda: self.pressed(interaction))

    @abc.abstractmethod
    async def pressed(self, interaction: discord.Interaction[Any]) -> None:
        """Answer the interaction, which is acknowledged."""


class UpdatingItem(PersistentItem[ItemT], template=r"(?!)"):
    """One whose answer takes the place of the message that it stands below."""

    def ack(self, interaction: discord.Interaction[Any]) -> Ack:
        """The message stays until it is changed."""
        del interaction
        return Ack.UPDATE


class Form(abc.ABC, discord.ui.Modal):
    """A form that somebody fills in; whatever it was opened with is checked again when it is sent."""

    ACK: ClassVar[Ack]

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Acknowledge, and do what it is there for; whatever goes wrong is answered."""
        await run_answering(interaction, self.ACK, lambda: self.submitted(interaction))

    @abc.abstractmethod
    async def submitted(self, interaction: discord.Interaction[Any]) -> None:
        """Answer the interaction, which is acknowledged."""
