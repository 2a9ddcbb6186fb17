"""Base classes of buttons and menus that outlive a restart, and of forms."""

import abc
import re
from typing import Any, ClassVar, Self, TypeVar

import discord

from bot.views.answering import Ack, run_answering

Button = discord.ui.Button[discord.ui.View]
Select = discord.ui.Select[discord.ui.View]
ItemT = TypeVar("ItemT", Button, Select)


class PersistentItem(abc.ABC, discord.ui.DynamicItem[ItemT], template=r"(?!)"):
    """A button or menu that knows only its id, so it works after a restart.

    Anyone may press it anywhere, so `pressed` checks permission, server, and what the id stands for.
    """

    @classmethod
    def made_from(cls, match: re.Match[str]) -> Self:
        """Return the item that an id stands for; override this where the id holds values."""
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
        """Build the item from its id; what was chosen in a menu comes with the interaction."""
        del interaction, item
        return cls.made_from(match)

    def ack(self, interaction: discord.Interaction[Any]) -> Ack:
        """How a press is acknowledged; decided without a look-up."""
        del interaction
        return Ack.PRIVATELY

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Acknowledge the press, then call `pressed`; every error is answered."""
        await run_answering(interaction, self.ack(interaction), lambda: self.pressed(interaction))

    @abc.abstractmethod
    async def pressed(self, interaction: discord.Interaction[Any]) -> None:
        """Answer the interaction, which has been acknowledged."""


class UpdatingItem(PersistentItem[ItemT], template=r"(?!)"):
    """An item whose answer replaces the message that it stands below."""

    def ack(self, interaction: discord.Interaction[Any]) -> Ack:
        """The message stays until it is changed."""
        del interaction
        return Ack.UPDATE


class Form(abc.ABC, discord.ui.Modal):
    """A form that a person fills in; `submitted` checks everything again."""

    ACK: ClassVar[Ack]

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Acknowledge the form, then call `submitted`; every error is answered."""
        await run_answering(interaction, self.ACK, lambda: self.submitted(interaction))

    @abc.abstractmethod
    async def submitted(self, interaction: discord.Interaction[Any]) -> None:
        """Answer the interaction, which has been acknowledged."""
