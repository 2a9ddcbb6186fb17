"""What a message claims: its texts, each with the code that draws it again. Nothing of it is believed yet."""

import asyncio
import re
from dataclasses import dataclass

import discord

from bot.embeds.sample_message import filename, shown_in
from bot.generation.request import Blend
from bot.text.cleaning import clean
from bot.training.uploads.attachments import Download, attached_text
from textgen.errors import SettingsError
from textgen.receipts.code import Receipt, find_code
from textgen.receipts.copied_text import parted

MOST_CLAIMS = 5
"""Texts of a message; no message of the bot has more."""

_MODELS = re.compile(rf"(?:again|continue:[0-5]):(?P<model>\d{{1,18}})(?:{Blend.ID})?:")
_QUOTED = re.compile(r"^> ?", re.MULTILINE)


@dataclass(frozen=True)
class Claim:
    """A text, and what its code says.

    Attributes:
        parts: the text, its seed included, cleaned; of a text in several embeds each apart, because Discord
            drops white space at their ends.
        receipt: what its code says.
        cut: the message shows the beginning alone.
    """

    parts: tuple[str, ...]
    receipt: Receipt
    cut: bool = False


@dataclass(frozen=True)
class Claims:
    """What a message claims.

    Attributes:
        texts: those with a code.
        damaged: a code could not be read.
        model_ids: ids of the model, or of both of a blend, that the message's buttons name; empty: it has no
            such buttons.
    """

    texts: tuple[Claim, ...]
    damaged: bool = False
    model_ids: tuple[int, ...] = ()


async def claims_of(message: discord.Message, download: Download) -> Claims:
    """Read a message: one with samples, or one into which somebody copied a text with its footer.

    Args:
        message: the message, as it came with the interaction.
        download: fetches an attachment, which holds a text that was too long.
    """
    texts: list[Claim] = []
    damaged = False
    try:
        if message.content:
            copied = await asyncio.to_thread(_copied, message.content)
            texts += [copied] if copied else []
    except SettingsError:
        damaged = True
    footers = [embed.footer.text or "" for embed in message.embeds]
    count = sum(1 for footer in footers if find_code(footer))
    parts: list[tuple[str, bool]] = []
    number = 0
    for embed, footer in zip(message.embeds, footers, strict=True):
        parts.append(shown_in(embed))
        if not footer:
            continue  # the text goes on in the next embed
        shown, parts = parts, []
        found = find_code(footer)
        if found is None:
            continue
        number += 1
        try:
            receipt = Receipt.from_code(found[0])
        except SettingsError:
            damaged = True
            continue
        cut = any(is_cut for _, is_cut in shown)
        whole = await attached_text(message, filename(number, count), download) if cut else None
        found_parts = [text for text, _ in shown] if whole is None else [whole]
        texts.append(Claim(tuple(map(clean, found_parts)), receipt, cut and whole is None))
    return Claims(tuple(texts[:MOST_CLAIMS]), damaged, _models_of(message))


def _copied(content: str) -> Claim | None:
    content = clean(content)
    lines = content.split("\n")
    if all(line.startswith(">") for line in lines):
        content = _QUOTED.sub("", content)
    if find_code(content) is None:
        return None
    text, receipt = parted(content)
    return Claim((text,), receipt)


def _models_of(message: discord.Message) -> tuple[int, ...]:
    for row in message.components:
        for item in getattr(row, "children", ()):
            found = _MODELS.match(getattr(item, "custom_id", None) or "")
            if found:
                return tuple(int(found[name]) for name in ("model", "other") if found[name])
    return ()
