"""`/privacy show`, `export` and `delete`, for a person and for a server."""

import asyncio
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import discord
from discord import app_commands
from discord.ext import commands
from sqlalchemy.orm import Session

from bot.client import Interaction, Pastiche
from bot.embeds.privacy_card import guild_card, person_card, statements_card
from bot.errors import UserError
from bot.guilds.permissions import guild_of, manages_guild, require_manager
from bot.i18n import _, ngettext
from bot.infra.storage import keys
from bot.privacy.export import TooLarge, export
from bot.privacy.inventory import INVENTORY
from bot.text import card_style, safe_text
from bot.views.answering import Ack, answer, answers
from bot.views.erase_button import EraseButton
from bot.views.persistent import view_of
from models import Corpus, TextModel, audit, guilds, personal_data

SCOPES = [
    app_commands.Choice(name="about me", value="me"),
    app_commands.Choice(name="the whole server", value="server"),
]
NAMED_MODELS = 10


@dataclass(frozen=True)
class _About:
    """What is stored about a person or a server: rows by table, and the uploaded texts."""

    counts: Mapping[str, int]
    texts: Sequence[Corpus]

    @classmethod
    def of(cls, session: Session, guild_id: int, user_id: int | None) -> Self:
        """Look up a person; None looks up the whole server."""
        return cls(
            personal_data.counts(session, guild_id, user_id), personal_data.texts(session, guild_id, user_id)
        )


@app_commands.guild_only()
class Privacy(
    commands.GroupCog, group_name="privacy", group_description="What is stored, and how to delete it."
):
    """The commands for the data of a person or a server."""

    @app_commands.command(description="Show what is stored about you here.")
    @answers(Ack.PRIVATELY)
    async def show(self, interaction: Interaction) -> None:
        """Answer with what names the person and, for managers, what is stored for the server."""
        bot, guild_id = interaction.client, guild_of(interaction)

        def look_up(session: Session) -> tuple[_About, _About, int | None]:
            mine, all_ = (_About.of(session, guild_id, whose) for whose in (interaction.user.id, None))
            return mine, all_, guilds.settings_of(session, guild_id).keep_corpora_days

        mine, all_, keep_days = await bot.database.call(look_up)
        texts = {keys.corpus_key(guild_id, corpus.sha256) for corpus in mine.texts}
        bytes_ = await asyncio.to_thread(lambda: sum(map(bot.storage.size, texts)))
        embeds = [person_card(mine.counts, texts=len(mine.texts), bytes_=bytes_)]
        if manages_guild(interaction):
            sizes = await asyncio.to_thread(bot.storage.sizes, guild_id)
            embeds.append(guild_card(all_.counts, sizes, keep_days))
        embeds.append(statements_card(INVENTORY))
        await answer(interaction, embeds=embeds)

    @app_commands.command(name="export", description="Get a file of what is stored about you, or the server.")
    @app_commands.describe(scope="About you, or about the server (takes Manage Server)")
    @app_commands.choices(scope=SCOPES)
    @answers(Ack.PRIVATELY)
    async def export_(self, interaction: Interaction, scope: str = "me") -> None:
        """Answer with a zip file that only the person sees."""
        if scope == "server":
            require_manager(interaction)
        bot, guild_id = interaction.client, guild_of(interaction)
        user_id = interaction.user.id if scope == "me" else None
        try:
            made = await asyncio.to_thread(
                export,
                bot.database,
                bot.storage,
                guild_id,
                user_id,
                limit=interaction.filesize_limit,
                now=discord.utils.utcnow(),
            )
        except TooLarge:
            limit = card_style.size(interaction.filesize_limit)
            raise UserError(
                _(
                    "The stored data does not fit into one file of {limit}. Ask the person who hosts this "
                    "bot for it."
                ).format(limit=limit)
            ) from None
        await bot.database.call(
            lambda session: audit.record(
                session, guild_id, interaction.user.id, "data.exported", scope=scope
            ),
            write=True,
        )
        content = _("Here is what is stored, as JSON.")
        if made.texts:
            texts = ngettext(
                "{number} text of yours is in it.", "{number} texts of yours are in it.", made.texts
            )
            content += " " + texts.format(number=made.texts)
        if made.left_out:
            names = safe_text.safe_within(", ".join(made.left_out), 500)
            content += "\n" + _("Not included, because they are too large or gone: {names}").format(
                names=names
            )
        file = discord.File(io.BytesIO(made.data), filename=f"pastiche-{scope}.zip")
        await answer(interaction, content, files=[file])

    @app_commands.command(description="Delete what is stored about you, or all of the server's data.")
    @app_commands.describe(
        scope="About you, or all of the server's data (takes Manage Server)",
        models="Also the models that learned from your texts",
    )
    @app_commands.choices(scope=SCOPES)
    @answers(Ack.PRIVATELY)
    async def delete(self, interaction: Interaction, scope: str = "me", models: bool = False) -> None:
        """Say what will be deleted, and ask for confirmation."""
        guild_id = guild_of(interaction)
        if scope == "server":
            require_manager(interaction)
        user_id = interaction.user.id

        def look_up(session: Session) -> tuple[_About, list[TextModel]]:
            found = _About.of(session, guild_id, user_id if scope == "me" else None)
            return found, list(personal_data.models_from(session, guild_id, user_id))

        found, learned = await interaction.client.database.call(look_up)
        if not any(found.counts.values()):
            raise UserError(_("There is nothing to delete: nothing is stored."))
        question = (
            _server_question(found) if scope == "server" else _person_question(found, learned, models=models)
        )
        embed = discord.Embed(title=_("Delete for good?"), description=question, colour=card_style.FAILED)
        view = view_of(EraseButton(scope, user_id, models=models))
        await answer(interaction, embeds=[embed], view=view)


def _server_question(found: _About) -> str:
    models, texts = found.counts.get("text_model", 0), len(found.texts)
    return (
        _(
            "All of this server's data will be deleted: **{models}**, **{texts}**, trainings, schedules, "
            "settings and the audit log. Running trainings are cancelled."
        ).format(
            models=ngettext("{number} model", "{number} models", models).format(
                number=card_style.count(models)
            ),
            texts=ngettext("{number} text", "{number} texts", texts).format(number=card_style.count(texts)),
        )
        + "\n\n"
        + _("This cannot be undone. /models can export a model first.")
    )


def _person_question(found: _About, learned: list[TextModel], *, models: bool) -> str:
    lines = []
    if found.texts:
        lines.append(
            ngettext(
                "**{number} text** that you uploaded will be deleted.",
                "**{number} texts** that you uploaded will be deleted.",
                len(found.texts),
            ).format(number=card_style.count(len(found.texts)))
        )
    lines.append(
        _("Your waiting and running trainings are cancelled, and your name is removed from everything else.")
    )
    if learned:
        names = ", ".join(safe_text.safe(model.name) for model in learned[:NAMED_MODELS])
        if len(learned) > NAMED_MODELS:
            names += " …"
        lines.append(
            _("**Models that learned from your texts are deleted for all:** {names}").format(names=names)
            if models
            else _(
                "Models that learned from your texts stay, and may repeat pieces of them: {names}. "
                "To delete them too, set `models` to True."
            ).format(names=names)
        )
    return "\n".join(lines) + "\n\n" + _("This cannot be undone.")


async def setup(bot: Pastiche) -> None:
    """Add the commands to the bot."""
    bot.add_dynamic_items(EraseButton)
    await bot.add_cog(Privacy())
