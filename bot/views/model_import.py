"""Import: a zip file from Export becomes a model of this server, after every check."""

import asyncio
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import discord
from sqlalchemy.orm import Session

from bot.bundles import archive, inspect
from bot.bundles.publishing import publish_bundle
from bot.client import Interaction
from bot.errors import UserError
from bot.guilds.permissions import guild_of, require_trainer
from bot.i18n import _
from bot.infra.storage import keys
from bot.text import safe_text
from bot.training import quotas
from bot.training.uploads import attachments
from bot.views.answering import Ack, answer, show_form, within_time
from bot.views.persistent import Form, PersistentButton
from models import audit, guilds, text_models
from models.training.names import clean_name


class ImportButton(PersistentButton, template=r"import"):
    """Opens the form that asks for a zip file; outlives a restart."""

    ACK = Ack.ITSELF

    def __init__(self) -> None:
        super().__init__(_("Import"), "import", emoji="📦", row=2)

    async def pressed(self, interaction: Interaction) -> None:
        """Show the form to those who may train."""
        await within_time(_require_importer(interaction), None)
        await show_form(interaction, ImportModal())


class ImportModal(Form):
    """The form: a name and a file."""

    ACK = Ack.PRIVATELY

    def __init__(self) -> None:
        super().__init__(title=_("Import a model"))
        self.name: discord.ui.TextInput[Any] = discord.ui.TextInput(
            min_length=1, max_length=100, custom_id="name"
        )
        self.file: discord.ui.FileUpload[Any] = discord.ui.FileUpload(custom_id="bundle", max_values=1)
        self.ask(_("Name"), self.name, _("What the model will be called here."))
        self.ask(_("Bundle"), self.file, _("A zip file from Export, of a model that you may use."))

    async def submitted(self, interaction: Interaction) -> None:
        """Check the file and publish it, if the person still may."""
        await _require_importer(interaction)
        bot, guild_id, name = interaction.client, guild_of(interaction), clean_name(self.name.value)
        upload = self.file.values[0]

        def require(session: Session, added: int) -> None:
            _require_free(session, guild_id, name)
            quotas.require_room(session, guild_id, bot.settings, name=name, added=added)

        await bot.database.call(require, upload.size)
        await asyncio.to_thread(quotas.require_disk, bot.settings, upload.size)
        bundle = bot.layout.bundle(guild_id, f"import-{uuid4().hex}")
        packed = bundle.with_name(f".{bundle.name}.zip")
        storage, key = bot.storage, keys.bundle_key(guild_id, bundle.name)
        try:
            await attachments.save(upload, bot.settings.max_bundle_bytes, bot.download, packed)
            await bot.checks.call(guild_id, _take_in, packed, bundle)
            stored = await asyncio.to_thread(storage.store_folder, bundle, key)

            def publish(session: Session) -> None:
                guilds.lock(session, guild_id)  # so that of two imports at once each counts the other
                require(session, quotas.size_of(bundle) or 0)
                publish_bundle(
                    session,
                    guild_id,
                    bundle,
                    name=name,
                    created_by=interaction.user.id,
                    imported=True,
                    stored=stored,
                )
                audit.record(session, guild_id, interaction.user.id, "model.imported", name)

            await bot.database.call(publish, write=True)
            await asyncio.to_thread(storage.drop_copy, bundle)
        except BaseException:
            shutil.rmtree(bundle, ignore_errors=True)
            if storage.is_remote:
                await asyncio.shield(asyncio.to_thread(storage.discard, key))
            raise
        finally:
            packed.unlink(missing_ok=True)
        await answer(
            interaction,
            _("The model **{name}** is imported. Try it: `/generate model:{plain}`").format(
                name=safe_text.safe(name), plain=safe_text.plain(name)
            ),
        )


async def _require_importer(interaction: Interaction) -> None:
    settings = await interaction.client.database.call(guilds.settings_of, guild_of(interaction))
    require_trainer(interaction, settings)


def _require_free(session: Session, guild_id: int, name: str) -> None:
    if text_models.by_name(session, guild_id, name) is not None:
        raise UserError(
            _("There is already a model named “{name}” here. Choose another name.").format(
                name=safe_text.safe(name)
            )
        )


def _take_in(packed: Path, bundle: Path) -> None:
    """Unpack and check a bundle beside its place, then move it there complete; blocks."""
    unpacked = bundle.with_name(f".{bundle.name}")
    try:
        archive.unpack(packed, unpacked)
        inspect.check(unpacked)
        unpacked.rename(bundle)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
