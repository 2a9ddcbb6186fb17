"""Samples as one message, and a sample read back from its message: the bot stores no texts.

The seed stands in bold before the text; the footer has the model and the options that give the text again.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import discord

from bot.generation.request import Sample
from bot.i18n import _
from bot.text import card_style, safe_text
from bot.text.hidden_words import HIDDEN
from bot.text.splitting import beginning, code_units, pieces

# Discord's limits, in UTF-16 code units: of an embed's description, and of all embeds of a message.
DESCRIPTION_UNITS = 4096
EMBEDS_UNITS = 6000
# A text goes on over so many embeds; longer ones come as a file.
EMBEDS = 2
EXCERPT_UNITS = 1200
SEED_CHARACTERS = 500
SEED_UNITS = 1100
REPORTED_UNITS = 2000
FILENAME = "sample.txt"
# Of what was left out of a seed.
SYMBOLS, SYMBOL_CHARACTERS = 5, 20
# Begins what the bot says below a text.
NOTE = "\n\n-# "


@dataclass(frozen=True)
class SampleMessage:
    """What to send: embeds, and a file for each text that is too long for them."""

    embeds: list[discord.Embed]
    files: list[discord.File]


def sample_message(samples: Sequence[Sample], *, may_attach: bool = True) -> SampleMessage:
    """Put samples into embeds, each apart; a text that does not fit is shown in part and attached whole.

    Args:
        samples: one or more.
        may_attach: False where the bot lacks Attach Files: such a text is shortened, and says so.
    """
    footers = [_footer(sample, number, len(samples)) for number, sample in enumerate(samples, start=1)]
    room = (EMBEDS_UNITS - sum(map(code_units, footers))) // len(samples)
    embeds: list[discord.Embed] = []
    files: list[discord.File] = []
    for number, (sample, footer) in enumerate(zip(samples, footers, strict=True), start=1):
        shown = _whole(sample, room)
        if shown is None:
            shown = [_cut(sample, min(room, DESCRIPTION_UNITS), attached=may_attach)]
            if may_attach:
                whole = safe_text.file_bytes(sample.seed + sample.text)
                files.append(discord.File(io.BytesIO(whole), filename=filename(number, len(samples))))
        embeds += [discord.Embed(description=part, colour=card_style.SAMPLE) for part in shown]
        embeds[-1].set_footer(text=footer)
    return SampleMessage(embeds, files)


def filename(number: int, count: int) -> str:
    """Name of the file of one of so many texts."""
    return FILENAME if count == 1 else FILENAME.replace(".", f"-{number}.")


def bold_seed(seed: str) -> str:
    """A seed as it is shown, of at most `SEED_UNITS`."""
    kept = safe_text.shorten(seed, SEED_CHARACTERS)
    while code_units(safe_text.safe(kept)) > SEED_UNITS - 6:
        kept = safe_text.shorten(kept, len(kept) * 3 // 4)
    shown = safe_text.safe(kept)
    if not kept.strip():
        return shown
    # Asterisks beside a space, or between punctuation and a letter, are no formatting but asterisks.
    left = safe_text.BREAK if shown[0].isspace() else ""
    right = "" if shown[-1].isalnum() else safe_text.BREAK
    return f"**{left}{shown}{right}**"


def _whole(sample: Sample, room: int) -> list[str] | None:
    """The sample over few embeds, or None where it is too long."""
    seed = bold_seed(sample.seed)
    first = min(room, DESCRIPTION_UNITS) - code_units(seed)
    text = beginning(sample.text, first)
    parts = pieces(sample.text[len(text) :], DESCRIPTION_UNITS, EMBEDS - 1)
    if parts is None:
        return None
    shown = [seed + safe_text.safe(text), *(safe_text.safe(part) for part in parts)]
    return shown if sum(map(code_units, shown)) <= room else None


def _cut(sample: Sample, room: int, *, attached: bool) -> str:
    """The beginning of a sample, and a note that says where the rest is."""
    seed = bold_seed(sample.seed)
    told = _("The text is shortened: to send it as a file I need Attach Files in this channel.")
    note = NOTE + (_("The whole text is attached.") if attached else told)
    units = min(EXCERPT_UNITS if attached else room, room - code_units(seed) - code_units(note) - 1)
    return f"{seed}{safe_text.safe(beginning(sample.text, max(0, units))).rstrip()}…{note}"


def _footer(sample: Sample, number: int, count: int) -> str:
    parts = [safe_text.plain(sample.model_name)]
    if count > 1:
        parts.insert(0, _("{number} of {count}").format(number=number, count=count))
    parts += sample.options.in_words()
    if sample.copied:
        parts.append(
            _("{number} characters in a row are copied from the corpus").format(number=sample.copied)
        )
    if sample.ended_early:
        parts.append(_("still learning: its training was ended early"))
    if sample.left_out:
        parts.append(_("never seen and left out: {symbols}").format(symbols=_symbols(sample.left_out)))
    if sample.receipt:
        parts.append(sample.receipt)
    return " · ".join(parts)


def _symbols(left_out: Sequence[str]) -> str:
    """The first few, in a footer's room."""
    shown = [safe_text.shorten(safe_text.plain(symbol), SYMBOL_CHARACTERS) for symbol in left_out[:SYMBOLS]]
    return " ".join(filter(None, shown)) + (" …" if len(left_out) > SYMBOLS else "")


def report_card(message: discord.Message, reported_by: int) -> discord.Embed:
    """The card that reports a text to the people who look after the server.

    Args:
        message: the message with the samples.
        reported_by: Discord id of the person who pressed Report.
    """
    text = text_of(message)
    shown = beginning(text, REPORTED_UNITS)
    cut = shown != text or any(is_cut for _, is_cut in map(shown_in, message.embeds))
    quoted = "\n".join(f"> {line}" for line in safe_text.safe(shown).split("\n"))
    embed = discord.Embed(
        title=_("Reported text"),
        description=quoted + ("…" if cut else ""),
        colour=card_style.FAILED,
        timestamp=message.created_at,
    )
    embed.add_field(name=_("Reported by"), value=f"<@{reported_by}>")
    if not message.flags.ephemeral:
        embed.add_field(name=_("Message"), value=message.jump_url)
    footers = [embed.footer.text for embed in message.embeds if embed.footer.text]
    if footers:
        embed.set_footer(text=safe_text.shorten(safe_text.plain(footers[0]), 1000))
    return embed


def seed_of(message: discord.Message) -> str:
    """The seed of a message's (first) sample; empty if there is none."""
    return _parted(_written(message.embeds[0]))[0] if message.embeds else ""


def text_of(message: discord.Message, number: int = 0) -> str:
    """What a message shows of a sample, its seed included.

    Args:
        message: one with samples.
        number: which of several, from 1; 0: all that the message shows.
    """
    embeds = message.embeds[number - 1 : number] if number else message.embeds
    return "".join(shown_in(embed)[0] for embed in embeds)


def shown_in(embed: discord.Embed) -> tuple[str, bool]:
    """What an embed shows of a sample, its seed included, and whether it is cut there."""
    cut = NOTE in (embed.description or "")
    text = "".join(_parted(_written(embed)))
    return (text.removesuffix("…"), True) if cut else (text, False)


def after_hidden(text: str) -> str:
    """The part of a text after the last word that is hidden: no model can go on from one."""
    return text.rpartition(HIDDEN)[2]


def _written(embed: discord.Embed) -> str:
    """A description without the bot's own note at its end; in a sample such a beginning is escaped."""
    return (embed.description or "").partition(NOTE)[0]


def _parted(description: str) -> tuple[str, str]:
    """Seed and text of a description, as they were before they were made safe."""
    if description.startswith("**"):
        at = 2
        while at < len(description):
            if description[at] == "\\":
                at += 2
            elif description.startswith("**", at):
                return safe_text.unescape(description[2:at]), safe_text.unescape(description[at + 2 :])
            else:
                at += 1
    return "", safe_text.unescape(description)
