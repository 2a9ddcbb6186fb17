"""`/models`: the server's models as a list to choose from, or one model with its buttons."""

import re
from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands
from sqlalchemy.orm import Session

from bot.client import Interaction, Pastiche
from bot.commands import autocomplete
from bot.embeds.model_card import model_page, page_count, shown_on
from bot.errors import NoModels, UserError
from bot.guilds.permissions import guild_of
from bot.i18n import _, marked
from bot.text import safe_text
from bot.training import quotas
from bot.views.answering import Ack, answer, answer_privately, answers
from bot.views.error_messages import line_for
from bot.views.model_import import ImportButton
from bot.views.model_panel import ModelButton, show_panel
from bot.views.persistent import PageButton, PersistentItem, Select, view_of
from models import TextModel, guilds, text_models
from models.training import usage
from models.training.usage import Usage

ID = re.compile(r"\d{1,18}")


class ModelsPage(PageButton, template=r"models:(?P<page>\d{1,4}):(?P<to>[<>])"):
    """Turns the page of the list; outlives a restart."""

    PREFIX = "models"
    LABELS = (marked("Previous"), marked("Next"))
    ROW = 1

    async def pressed(self, interaction: Interaction) -> None:
        """Show the present models."""
        await _show_page(interaction, self.page)


class ModelSelect(PersistentItem[Select], template=r"models:(?P<page>\d{1,4}):open"):
    """Opens a model of the page for the person who chose it; outlives a restart."""

    def __init__(self, page: int, models: Sequence[TextModel] = ()) -> None:
        super().__init__(
            discord.ui.Select(
                placeholder=_("Open a model"),
                custom_id=f"models:{page}:open",
                options=[
                    discord.SelectOption(
                        label=safe_text.shorten(safe_text.plain(model.name), 100), value=str(model.id)
                    )
                    for model in models
                ]
                or [discord.SelectOption(label="-")],
                row=0,
            )
        )

    async def pressed(self, interaction: Interaction) -> None:
        """Show the model's panel to this person."""
        (chosen,) = self.item.values
        if not ID.fullmatch(chosen):
            raise UserError(_("That is not a model. /models lists all models."))
        await show_panel(interaction, int(chosen), draw=True)


async def _show_page(interaction: Interaction, page: int) -> None:
    bot, guild_id = interaction.client, guild_of(interaction)

    def look_up(session: Session) -> tuple[list[TextModel], int | None, Usage]:
        models = list(text_models.listing(session, guild_id))
        default_id = guilds.settings_of(session, guild_id).default_model_id
        return models, default_id, usage.of_guild(session, guild_id)

    models, default_id, used = await bot.database.call(look_up)
    if not models:
        raise NoModels
    last = page_count(len(models)) - 1
    page = min(page, last)
    shown = shown_on(models, page)
    view = view_of(ModelSelect(page, shown), *ModelsPage.both(page, last), ImportButton())
    makers = await bot.names.of_all(guild_id, {model.created_by for model in shown})
    line = quotas.used_line(used, bot.settings)
    embed = model_page(models, page, default_id=default_id, makers=makers, used=line)
    await answer(interaction, embeds=[embed], view=view)


class Models(commands.Cog):
    """The server's models."""

    @app_commands.command(description="List this server's models, or open one.")
    @app_commands.guild_only()
    @app_commands.describe(model="Open this model: its figures, its loss curve and its buttons")
    @app_commands.autocomplete(model=autocomplete.models)
    @answers(Ack.PUBLICLY)
    async def models(
        self, interaction: Interaction, model: app_commands.Range[str, 1, 100] | None = None
    ) -> None:
        """Answer with the first page, or with a model's panel."""
        if model is not None:
            await show_panel(interaction, model, draw=True)
            return
        try:
            await _show_page(interaction, 0)
        except NoModels as none:
            await answer_privately(interaction, line_for(none) or "", view=view_of(ImportButton()))


async def setup(bot: Pastiche) -> None:
    """Add the commands to the bot."""
    bot.add_dynamic_items(ModelsPage, ModelSelect, ModelButton, ImportButton)
    await bot.add_cog(Models())
