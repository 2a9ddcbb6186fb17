"""Base classes of buttons and menus that outlive a restart, and of forms."""

import abc
import inspect
import re
from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeVar

import discord

from bot.i18n import _
from bot.views.answering import Ack, run_answering

Button = discord.ui.Button[discord.ui.View]
Select = discord.ui.Select[discord.ui.View]
ItemT = TypeVar("ItemT", Button, Select)


class PersistentItem(abc.ABC, discord.ui.DynamicItem[ItemT], template=r"(?!)"):
    """A button or menu that knows only its id, so it works after a restart.

    Anyone may press it anywhere, so `pressed` checks permission, server, and what the id stands for.
    """

    ACK: ClassVar[Ack] = Ack.PRIVATELY
    """How a press is acknowledged; `Ack.UPDATE` where the answer replaces the message of the item."""

    @classmethod
    def made_from(cls, match: re.Match[str]) -> Self:
        """Return the item that an id stands for.

        Each group of the template has the name of a parameter of the constructor, and becomes its argument.
        Override this where values are read in another way.
        """
        parameters = inspect.signature(cls).parameters
        values: dict[str, object] = {}
        for name, text in match.groupdict().items():
            kind = parameters[name].annotation
            values[name] = text if kind is str else kind(int(text))
        make: Callable[..., Self] = cls
        return make(**values)

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
        return self.ACK

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Acknowledge the press, then call `pressed`; every error is answered."""
        await run_answering(interaction, self.ack(interaction), lambda: self.pressed(interaction))

    @abc.abstractmethod
    async def pressed(self, interaction: discord.Interaction[Any]) -> None:
        """Answer the interaction, which has been acknowledged."""


class PersistentButton(PersistentItem[Button], template=r"(?!)"):
    """A button that outlives a restart. Its arguments are those of `discord.ui.Button`."""

    def __init__(
        self,
        label: str,
        custom_id: str,
        style: discord.ButtonStyle = discord.ButtonStyle.secondary,
        *,
        emoji: str | None = None,
        row: int | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(
            discord.ui.Button(
                label=label, custom_id=custom_id, style=style, emoji=emoji, row=row, disabled=disabled
            )
        )


class PageButton(PersistentButton, template=r"(?!)"):
    """A button that turns the pages of a card.

    Args:
        page: the page that it leads to, from 0.
        to: "<" for the page before, ">" for the page after.
        disabled: whether there is no such page.
    """

    ACK = Ack.UPDATE
    PREFIX: ClassVar[str]
    """What ids begin with; the template of a subclass is ``PREFIX:(?P<page>…):(?P<to>[<>])``."""
    LABELS: ClassVar[tuple[str, str]]
    """What stands on the buttons back and forward, in English."""
    ROW: ClassVar[int | None] = None

    def __init__(self, page: int, to: str, *, disabled: bool = False) -> None:
        self.page = page
        back, forward = self.LABELS
        label = back if to == "<" else forward
        super().__init__(_(label), f"{self.PREFIX}:{page}:{to}", row=self.ROW, disabled=disabled)

    @classmethod
    def both(cls, page: int, last: int) -> list[Self]:
        """Return the buttons back and forward of a page; none if there is one page only."""
        back = cls(max(page - 1, 0), "<", disabled=page == 0)
        forward = cls(min(page + 1, last), ">", disabled=page == last)
        return [back, forward] if last else []


def view_of(*items: discord.ui.Item[Any]) -> discord.ui.View:
    """Return a view of items that outlive a restart, so no time ends it."""
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    return view


class Form(abc.ABC, discord.ui.Modal):
    """A form that a person fills in; `submitted` checks everything again."""

    ACK: ClassVar[Ack]

    def ask(self, label: str, field: discord.ui.Item[Any], description: str | None = None) -> None:
        """Add a field with a label above it, and with a description between them if there is one."""
        self.add_item(discord.ui.Label(text=label, description=description, component=field))

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Acknowledge the form, then call `submitted`; every error is answered."""
        await run_answering(interaction, self.ACK, lambda: self.submitted(interaction))

    @abc.abstractmethod
    async def submitted(self, interaction: discord.Interaction[Any]) -> None:
        """Answer the interaction, which has been acknowledged."""
