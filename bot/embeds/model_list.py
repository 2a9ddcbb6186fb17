"""A guild's models with their figures, in pages that fit an embed."""

from collections.abc import Mapping

import discord

from bot.i18n import _, ngettext
from bot.text import safe_text, style
from bot.text.level_words import level_words
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
    embed = discord.Embed(title=_("Models of this server"), colour=style.SAMPLE)
    for model in shown_on(models, page):
        mark = " · " + _("default") if model.id == default_id else ""
        embed.add_field(
            name=f"{safe_text.safe_within(model.name, 200)}{mark}",
            value=_(
                "Validation loss **{loss}** {token}\n"
                "{characters} characters · {parameters} parameters\n"
                "{date} by {name}"
            ).format(
                loss=style.nats(model.validation_loss),
                token=level_words(model.level).token,
                characters=style.count(model.characters),
                parameters=style.count(model.parameters),
                date=discord.utils.format_dt(model.updated_at, "D"),
                name=safe_text.person(makers[model.created_by]),
            ),
            inline=False,
        )
    total = ngettext("{number} model", "{number} models", len(models)).format(number=len(models))
    turned = _("page {page} of {pages}").format(page=page + 1, pages=pages)
    embed.set_footer(text=total if pages == 1 else f"{total} · {turned}")
    return embed
