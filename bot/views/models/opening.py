"""Looks up a model of the server for a person who wants to see or to change it."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.client import Interaction
from bot.errors import UnknownModel
from bot.guilds.permissions import guild_of, require_trainer
from models import Corpus, GuildSettings, TextModel, guilds, text_models


@dataclass(frozen=True)
class Opened:
    """A model with everything its card shows."""

    model: TextModel
    corpus: Corpus | None
    settings: GuildSettings

    @property
    def is_default(self) -> bool:
        """Whether /generate takes it when none is named."""
        return self.settings.default_model_id == self.model.id


async def open_model(interaction: Interaction, wanted: str | int) -> Opened:
    """Look up a model of the server.

    Args:
        interaction: from the server.
        wanted: the model's name as typed, or its id from a button.

    Raises:
        UnknownModel: the server has no such model.
    """

    def look_up(session: Session, guild_id: int) -> Opened | None:
        model, corpus = text_models.with_corpus(session, guild_id, wanted)
        return Opened(model, corpus, guilds.settings_of(session, guild_id)) if model else None

    bot = interaction.client
    opened = await bot.database.call(look_up, guild_of(interaction))
    if opened is None:
        raise UnknownModel(wanted if isinstance(wanted, str) else None)
    opened.model.generations += bot.generations.unsaved(opened.model.guild_id, opened.model.id)
    return opened


async def open_to_change(interaction: Interaction, model_id: int) -> Opened:
    """Look up a model for a person who wants to change it, or to take it along.

    Raises:
        UnknownModel: the server has no such model.
        PermissionRefused: the person may not.
    """
    opened = await open_model(interaction, model_id)
    require_trainer(interaction, opened.settings)
    return opened
