"""Export: a model as a bundle, and as a web page that writes offline in any browser."""

import asyncio
import io
import re
from typing import Any

import discord

from bot.bundles import archive, web_page
from bot.client import Interaction
from bot.errors import UserError
from bot.i18n import _
from bot.infra.storage.errors import Damaged, StorageError
from bot.text import hidden_words, safe_text
from bot.text.cleaning import clean
from bot.views.answering import Ack, answer, show_form, within_time
from bot.views.models.opening import open_to_change
from bot.views.persistent import Form
from models import TextModel, audit

LICENCE_CHARACTERS = 200
ORIGIN_CHARACTERS = 300


async def send_bundle(interaction: Interaction, model_id: int, view: discord.ui.View) -> None:
    """Answer with a model's bundle as a zip.

    Args:
        interaction: acknowledged.
        model_id: from a button.
        view: the button that offers the page, also where the bundle is too large.
    """
    model, limit = (await open_to_change(interaction, model_id)).model, interaction.filesize_limit
    try:
        packed = await asyncio.to_thread(
            archive.pack_stored, interaction.client.storage, model.bundle_path, limit
        )
    except StorageError:
        raise
    except OSError:
        raise _gone() from None
    if packed is None:
        line = _(
            "This model is larger than the {limit:.0f} MiB that Discord accepts here. The person who "
            "hosts this bot can copy its bundle from the disk."
        )
        await answer(interaction, line.format(limit=limit / 2**20), view=view)
        return
    await _record(interaction, model, len(packed))
    line = _("Here is the bundle, for import in another server, or for Pastiche on your own computer.")
    files = [discord.File(io.BytesIO(packed), filename=f"{_slug(model)}.zip")]
    await answer(interaction, line, files=files, view=view)


async def ask_about_page(interaction: Interaction, model_id: int) -> None:
    """Open the form that asks what a model's page says of it, if the model can become one."""
    opened = await within_time(open_to_change(interaction, model_id), None)
    if opened is not None:
        web_page.require_page(opened.model, interaction.filesize_limit)
    corpus = None if opened is None else opened.corpus
    await show_form(interaction, PageForm(model_id, "" if corpus is None else corpus.filename))


class PageForm(Form):
    """A form that asks for the licence and the origin of the texts that a model learned from.

    Args:
        model_id: id of the model.
        filename: of its corpus, which is the first guess of the origin.
    """

    ACK = Ack.PRIVATELY

    def __init__(self, model_id: int, filename: str) -> None:
        super().__init__(title=_("A web page of this model"))
        self.model_id = model_id
        guess = safe_text.shorten(hidden_words.veil(filename), ORIGIN_CHARACTERS)
        self.licence: discord.ui.TextInput[Any] = discord.ui.TextInput(
            required=False, max_length=LICENCE_CHARACTERS, custom_id="licence"
        )
        self.origin: discord.ui.TextInput[Any] = discord.ui.TextInput(
            required=False, max_length=ORIGIN_CHARACTERS, custom_id="origin", default=guess or None
        )
        self.ask(_("Licence of the text"), self.licence, _("Shown on the page, as is the origin."))
        self.ask(_("Origin of the text"), self.origin, _("Author and title, or an address."))

    async def submitted(self, interaction: Interaction) -> None:
        """Answer with the page, if the person still may and the model is still there."""
        model, limit = (await open_to_change(interaction, self.model_id)).model, interaction.filesize_limit
        web_page.require_page(model, limit)
        title, licence, origin = (
            " ".join(clean(hidden_words.veil(text)).split())
            for text in (model.name, self.licence.value, self.origin.value)
        )
        about = web_page.About(title, licence, origin)
        client = interaction.client
        try:
            page = await client.pages.call(
                model.guild_id, web_page.web_page, client.storage, model.bundle_path, limit, about
            )
        except StorageError:
            raise
        except (FileNotFoundError, Damaged):
            raise _gone() from None
        await _record(interaction, model, len(page))
        line = _("Here is the web page: open it in a browser. Whoever has it has what the model learned.")
        await answer(
            interaction, line, files=[discord.File(io.BytesIO(page), filename=f"{_slug(model)}.html")]
        )


async def _record(interaction: Interaction, model: TextModel, size: int) -> None:
    await interaction.client.database.call(
        lambda session: audit.record(
            session, model.guild_id, interaction.user.id, "model.exported", model.name, bytes=size
        ),
        write=True,
    )


def _gone() -> UserError:
    return UserError(_("The files of this model are gone."))


def _slug(model: TextModel) -> str:
    return re.sub(r"[^\w.-]+", "-", hidden_words.veil(model.name), flags=re.ASCII).strip("-.") or "model"
