"""Models as cards: one with its figures and where it comes from, or all of a server's in pages."""

import datetime
from collections.abc import Mapping

import discord

from bot.i18n import _, ngettext
from bot.text import card_style, safe_text
from bot.text.level_words import level_words
from models import Corpus, TextModel
from textgen.files.bundle_files import PICTURE

# At most 25 fields and 6,000 characters: eight models with the longest names stay below both.
MODELS_A_PAGE = 8


def model_panel(
    model: TextModel, corpus: Corpus | None, *, is_default: bool, made_by: str, uploaded_by: str, curve: bool
) -> discord.Embed:
    """The card of a model.

    Args:
        model: the row.
        corpus: row of the text it learned from; None: unknown here.
        is_default: /generate uses it when no model is named.
        made_by: display name of the person who trained or imported it.
        uploaded_by: display name of the person who uploaded the corpus.
        curve: the message has a picture of the loss curve.
    """
    mark = " · " + _("default") if is_default else ""
    embed = discord.Embed(title=safe_text.safe_within(model.name, 200) + mark, colour=card_style.SAMPLE)
    embed.add_field(name=_("Validation loss"), value=_loss(model))
    embed.add_field(
        name=_("Network"),
        value=_("{cell} cell\n{parameters} parameters").format(
            cell=model.cell, parameters=card_style.count(model.parameters)
        ),
    )
    vocabulary = level_words(model.level).vocabulary.format(number=card_style.count(model.vocabulary))
    embed.add_field(name=_("Vocabulary"), value=vocabulary)
    embed.add_field(
        name=_("Imported") if model.imported else _("Trained"),
        value=_("{date}\nby {name}").format(date=_day(model.updated_at), name=safe_text.person(made_by)),
    )
    embed.add_field(
        name=_("Has written"),
        value=ngettext("{number} text", "{number} texts", model.generations).format(
            number=card_style.count(model.generations)
        ),
    )
    embed.add_field(name=_("Learned from"), value=_provenance(model, corpus, uploaded_by), inline=False)
    if curve:
        embed.set_image(url=f"attachment://{PICTURE}")
    return embed


def deletion_card(model: TextModel) -> discord.Embed:
    """The question before a model is deleted."""
    return discord.Embed(
        title=_("Delete “{name}”?").format(name=safe_text.safe_within(model.name, 200)),
        description=_(
            "The model is deleted for good; the corpus and the record of its training stay. Export the "
            "model first if you may want it again."
        ),
        colour=card_style.FAILED,
    )


def deleted_card(name: str) -> discord.Embed:
    """The card that replaces a deleted model's card."""
    return discord.Embed(
        description=_("The model **{name}** is deleted.").format(name=safe_text.safe_within(name, 200)),
        colour=card_style.CANCELLED,
    )


def _loss(model: TextModel) -> str:
    if model.validation_loss is None:
        return card_style.nats(None)
    nats, bits = card_style.nats(model.validation_loss), card_style.bits(model.validation_loss)
    return f"**{nats}** {level_words(model.level).token}\n{bits}"


def _provenance(model: TextModel, corpus: Corpus | None, uploaded_by: str) -> str:
    size = _("{number} characters").format(number=card_style.count(model.characters))
    if corpus is None:
        unknown = _("a corpus elsewhere") if model.imported else _("a corpus no longer known here")
        return f"{unknown} · {size}"
    lines = [
        f"{safe_text.safe_within(corpus.filename, 60)} · {size}",
        _("{name} stated on {date} that it may be used").format(
            name=safe_text.person(uploaded_by), date=_day(corpus.rights_confirmed_at)
        ),
    ]
    if corpus.text_deleted_at is not None:
        lines.append(_("its text was deleted on {date}").format(date=_day(corpus.text_deleted_at)))
    return "\n".join(lines)


def _day(time: datetime.datetime) -> str:
    return discord.utils.format_dt(time, "D")


def page_count(models: int) -> int:
    """Number of pages for so many models, at least 1."""
    return max(1, -(-models // MODELS_A_PAGE))


def shown_on(models: list[TextModel], page: int) -> list[TextModel]:
    """The models on a page."""
    return models[page * MODELS_A_PAGE : (page + 1) * MODELS_A_PAGE]


def model_page(
    models: list[TextModel], page: int, *, default_id: int | None, makers: Mapping[int, str], used: str
) -> discord.Embed:
    """One page of the list.

    Args:
        models: all models of the server, in order.
        page: number of the page, from 0.
        default_id: id of the server's default model; None if it chose none.
        makers: display names of those who made the models, by Discord user id.
        used: what the server stores of what it may store, as a line.
    """
    pages = page_count(len(models))
    embed = discord.Embed(title=_("Models of this server"), colour=card_style.SAMPLE)
    for model in shown_on(models, page):
        mark = " · " + _("default") if model.id == default_id else ""
        embed.add_field(
            name=f"{safe_text.safe_within(model.name, 200)}{mark}",
            value=_(
                "Validation loss **{loss}** {token}\n"
                "{characters} characters · {parameters} parameters\n"
                "{date} by {name}"
            ).format(
                loss=card_style.nats(model.validation_loss),
                token=level_words(model.level).token,
                characters=card_style.count(model.characters),
                parameters=card_style.count(model.parameters),
                date=_day(model.updated_at),
                name=safe_text.person(makers[model.created_by]),
            ),
            inline=False,
        )
    turned = _("page {page} of {pages}").format(page=page + 1, pages=pages)
    embed.set_footer(text=used if pages == 1 else f"{used} · {turned}")
    return embed
