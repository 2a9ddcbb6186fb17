"""`/models`: what the server trained, with its figures."""

import re
from typing import Self

import discord
from discord import app_commands
from discord.ext import commands
from sqlalchemy.orm import Session

from bot.app import Interaction, Pastiche
from bot.errors import NoModels, answers_everything, answers_expected, guild_of
from bot.i18n import marked
from bot.presentation.model_list import model_page, page_count, shown_on
from bot.privacy_statement import Stored
from models import Database, TextModel, guilds, text_models

STORES: tuple[Stored, ...] = (
    Stored(
        marked("Models: name, figures, who made them, the weights and up to 50 line starts of the text"),
        "text_model",
        marked("until they are deleted in /models or with the server's data"),
    ),
)


class PageButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"models:(?P<page>\d{1,4}):(?P<to>[<>])",
):
    """Turns the page of the list; outlives a restart."""

    def __init__(self, page: int, to: str, *, disabled: bool = False) -> None:
        self.page = page
        super().__init__(
            discord.ui.Button(
                label="Previous" if to == "<" else "Next", custom_id=f"models:{page}:{to}", disabled=disabled
            )
        )

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[discord.Client],
        item: discord.ui.Item[discord.ui.View],
        match: re.Match[str],
        /,
    ) -> Self:
        """Build the button anew from the id that Discord sends."""
        del interaction, item
        return cls(int(match["page"]), match["to"])

    @answers_everything
    async def callback(self, interaction: Interaction) -> None:
        """Show the page, with the models as they are now."""
        embed, view = await _page(interaction, self.page)
        await interaction.response.edit_message(embed=embed, view=view)


async def _page(interaction: Interaction, page: int) -> tuple[discord.Embed, discord.ui.View]:
    guild_id = guild_of(interaction)
    models, default_id = await _listing(interaction.client.database, guild_id)
    if not models:
        raise NoModels
    last = page_count(len(models)) - 1
    page = min(page, last)
    view = discord.ui.View(timeout=None)
    if last:
        view.add_item(PageButton(max(page - 1, 0), "<", disabled=page == 0))
        view.add_item(PageButton(min(page + 1, last), ">", disabled=page == last))
    makers = {
        user_id: await interaction.client.names.of(guild_id, user_id)
        for user_id in {model.created_by for model in shown_on(models, page)}
    }
    return model_page(models, page, default_id=default_id, makers=makers), view


async def _listing(database: Database, guild_id: int) -> tuple[list[TextModel], int | None]:
    def look_up(session: Session) -> tuple[list[TextModel], int | None]:
        models = list(text_models.listing(session, guild_id))
        return models, guilds.settings_of(session, guild_id).default_model_id

    return await database.call(look_up)


class Models(commands.Cog):
    """The server's models."""

    @app_commands.command(description="List this server's models with their figures.")
    @app_commands.guild_only()
    @answers_expected
    async def models(self, interaction: Interaction) -> None:
        """Answer with the first page."""
        embed, view = await _page(interaction, 0)
        await interaction.response.send_message(embed=embed, view=view)


async def setup(bot: Pastiche) -> None:
    """Called by discord.py when the extension is loaded."""
    bot.add_dynamic_items(PageButton)
    await bot.add_cog(Models())
