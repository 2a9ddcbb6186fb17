"""A model's panel: its card with buttons. Everyone may look and sample; changes need the right to train."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self

import discord
from sqlalchemy.orm import Session

from bot.bundles import inspect
from bot.bundles.curve_words import files_of_bundle
from bot.client import Interaction
from bot.embeds.model_card import deleted_card, deletion_card, model_panel
from bot.errors import UnknownModel
from bot.generation.request import GenerationRequest
from bot.i18n import _, marked
from bot.text import hidden_words
from bot.text.hidden_words import HIDDEN
from bot.views.answering import Ack, answer, show_form, within_time
from bot.views.models.export import ask_about_page, send_bundle
from bot.views.models.opening import Opened, open_model, open_to_change
from bot.views.persistent import Form, PersistentButton, view_of
from bot.views.sample_buttons import answer_with_samples, sample_ack
from models import TextModel, audit, guilds, text_models


async def show_panel(interaction: Interaction, wanted: str | int, *, draw: bool = False) -> None:
    """Answer with a model's panel as it is now.

    Args:
        interaction: a command, or a button whose message the panel replaces.
        wanted: the model's name as typed, or its id from a button.
        draw: draw the loss curve if there is no picture of it yet.
    """
    opened = await open_model(interaction, wanted)
    storage, key = interaction.client.storage, opened.model.bundle_path
    picture = await asyncio.to_thread(inspect.with_bundle, storage, key, inspect.kept_curve)
    if picture is None and draw:
        picture = await interaction.client.curves.call(
            opened.model.guild_id, inspect.with_bundle, storage, key, inspect.curve
        )
    made_by = opened.model.created_by
    uploaded_by = made_by if opened.corpus is None else opened.corpus.uploaded_by
    names = await interaction.client.names.of_all(opened.model.guild_id, {made_by, uploaded_by})
    card = model_panel(
        opened.model,
        opened.corpus,
        is_default=opened.is_default,
        made_by=names[made_by],
        uploaded_by=names[uploaded_by],
        curve=picture is not None,
    )
    files = await asyncio.to_thread(files_of_bundle, storage, key, picture)
    await answer(interaction, embeds=[card], files=files, view=panel_buttons(opened))


async def _sample(interaction: Interaction, model_id: int) -> None:
    await answer_with_samples(interaction, GenerationRequest(model_id))


async def make_default(interaction: Interaction, model_id: int) -> str:
    """Make a model the one that /generate uses when none is named, and return its name.

    Raises:
        UnknownModel: the server has no such model.
        PermissionRefused: the person may not.
    """
    opened = await open_to_change(interaction, model_id)
    guild_id = opened.model.guild_id

    def change(session: Session) -> str:
        model = text_models.get(session, guild_id, model_id)
        if model is None:
            raise UnknownModel(None)
        guilds.edit(session, guild_id, default_model_id=model.id)
        audit.record(session, guild_id, interaction.user.id, "model.made_default", model.name)
        return model.name

    name: str = await interaction.client.database.call(change, write=True)
    return name


async def _make_default(interaction: Interaction, model_id: int) -> None:
    await make_default(interaction, model_id)
    await show_panel(interaction, model_id)


async def _rename(interaction: Interaction, model_id: int) -> None:
    opened = await within_time(open_to_change(interaction, model_id), None)
    await show_form(interaction, RenameModal(model_id, opened.model.name if opened else None))


async def _export(interaction: Interaction, model_id: int) -> None:
    await send_bundle(interaction, model_id, view_of(ModelButton("page", model_id)))


async def _ask_to_delete(interaction: Interaction, model_id: int) -> None:
    opened = await open_to_change(interaction, model_id)
    view = view_of(ModelButton("confirm", model_id), ModelButton("keep", model_id))
    await answer(interaction, embeds=[deletion_card(opened.model)], files=[], view=view)


async def _delete(interaction: Interaction, model_id: int) -> None:
    opened = await open_to_change(interaction, model_id)
    guild_id = opened.model.guild_id

    def delete(session: Session) -> TextModel | None:
        model = text_models.delete(session, guild_id, model_id)
        if model is not None:
            audit.record(session, guild_id, interaction.user.id, "model.deleted", model.name)
        return model

    model = await interaction.client.database.call(delete, write=True)
    if model is not None:
        await asyncio.to_thread(interaction.client.storage.discard, model.bundle_path)
    await answer(interaction, embeds=[deleted_card(opened.model.name)], files=[], view=None)


class RenameModal(Form):
    """A form that asks for a model's new name."""

    ACK = Ack.UPDATE

    def __init__(self, model_id: int, name: str | None) -> None:
        super().__init__(title=_("Rename the model"))
        self.model_id = model_id
        self.name: discord.ui.TextInput[Self] = discord.ui.TextInput(
            # A name with a hidden word is not shown: the person types a new one.
            default=None if name is None or HIDDEN in hidden_words.veil(name) else name,
            min_length=1,
            max_length=100,
            custom_id="name",
        )
        self.ask(_("New name"), self.name)

    async def submitted(self, interaction: Interaction) -> None:
        """Rename it, if the person still may and the name is free."""
        opened = await open_to_change(interaction, self.model_id)
        guild_id, before = opened.model.guild_id, opened.model.name

        def change(session: Session) -> None:
            model = text_models.rename(session, guild_id, self.model_id, self.name.value)
            if model is not None and model.name != before:
                audit.record(
                    session, guild_id, interaction.user.id, "model.renamed", model.name, before=before
                )

        await interaction.client.database.call(change, write=True)
        await show_panel(interaction, self.model_id)


@dataclass(frozen=True)
class Action:
    """What a button of the panel looks like, with its label in English, and what it does."""

    label: str
    style: discord.ButtonStyle
    ack: Ack | Callable[[Interaction], Ack]
    do: Callable[[Interaction, int], Awaitable[None]]


_GREY, _RED = discord.ButtonStyle.secondary, discord.ButtonStyle.danger
ACTIONS = {
    "sample": Action(marked("Sample"), discord.ButtonStyle.primary, sample_ack, _sample),
    "default": Action(marked("Make default"), _GREY, Ack.UPDATE, _make_default),
    "rename": Action(marked("Rename"), _GREY, Ack.ITSELF, _rename),
    "export": Action(marked("Export"), _GREY, Ack.PRIVATELY, _export),
    "page": Action(marked("As a web page"), _GREY, Ack.ITSELF, ask_about_page),
    "delete": Action(marked("Delete"), _RED, Ack.UPDATE, _ask_to_delete),
    "confirm": Action(marked("Delete it"), _RED, Ack.UPDATE, _delete),
    "keep": Action(marked("Keep it"), _GREY, Ack.UPDATE, show_panel),
}


class ModelButton(
    PersistentButton, template=rf"model:(?P<action>{'|'.join(ACTIONS)}):(?P<model_id>\d{{1,18}})"
):
    """A button that does something with the panel's model; it outlives a restart."""

    def __init__(self, action: str, model_id: int, *, disabled: bool = False) -> None:
        self.action = ACTIONS[action]
        self.model_id = model_id
        super().__init__(
            _(self.action.label), f"model:{action}:{model_id}", self.action.style, disabled=disabled
        )

    def ack(self, interaction: Interaction) -> Ack:
        """The acknowledgement that the action needs."""
        ack = self.action.ack
        return ack if isinstance(ack, Ack) else ack(interaction)

    async def pressed(self, interaction: Interaction) -> None:
        """Do it, if the model is this server's and the person may."""
        await self.action.do(interaction, self.model_id)


def panel_buttons(opened: Opened) -> discord.ui.View:
    """The buttons below a model's card."""
    buttons = [
        ModelButton(action, opened.model.id, disabled=action == "default" and opened.is_default)
        for action in ("sample", "default", "rename", "export", "delete")
    ]
    return view_of(*buttons)
