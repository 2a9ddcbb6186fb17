"""A guild's models with their figures, in pages that fit an embed."""

import datetime
from collections.abc import Mapping

import discord

from bot.presentation import safe_text, style
from models import TextModel

# At most 25 fields and 6,000 characters: eight models with the longest names stay below both.
MODELS_A_PAGE = 8


def page_count(models: int) -> int:
    """Pages that so many models take."""
    return max(1, -(-models // MODELS_A_PAGE))


def shown_on(models: list[TextModel], page: int) -> list[TextModel]:
    """The models on a page."""
    return models[page * MODELS_A_PAGE : (page + 1) * MODELS_A_PAGE]


def model_page(
    models: list[TextModel], page: int, *, default_id: int | None, makers: Mapping[int, str]
) -> discord.Embed:
    """One page of the list.

    Args:
        models: all of the guild's, in order.
        page: from 0.
        default_id: the model that /generate takes when none is named.
        makers: names of who made those on the page, by their ids.
    """
    pages = page_count(len(models))
    embed = discord.Embed(title="Models of this server", colour=style.SAMPLE)
    for model in shown_on(models, page):
        mark = " · default" if model.id == default_id else ""
        embed.add_field(
            name=f"{safe_text.safe_within(model.name, 200)}{mark}",
            value=(
                f"Validation loss **{style.nats(model.validation_loss)}** a {_token(model.level)}\n"
                f"{style.count(model.characters)} characters · {style.count(model.parameters)} parameters\n"
                f"{_when(model.updated_at)} by {safe_text.safe(makers[model.created_by])}"
            ),
            inline=False,
        )
    total = f"{len(models)} model" + ("" if len(models) == 1 else "s")
    embed.set_footer(text=total if pages == 1 else f"{total} · page {page + 1} of {pages}")
    return embed


def _when(time: datetime.datetime) -> str:
    return discord.utils.format_dt(time, "D")


def _token(level: str) -> str:
    return {"char": "character", "word": "word"}.get(level, "token")
