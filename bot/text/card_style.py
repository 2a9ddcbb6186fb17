"""Colours, numbers and durations of every card; numbers are formatted for the reader's language."""

import math
from collections.abc import Sequence

import discord
from babel.numbers import format_decimal, format_percent

from bot import i18n
from bot.i18n import _

QUEUED = discord.Colour(0x80848E)
TRAINING = discord.Colour(0xF0B232)
DONE = discord.Colour(0x23A55A)
FAILED = discord.Colour(0xDA373C)
CANCELLED = discord.Colour(0x4E5058)
SAMPLE = discord.Colour(0x7B61C9)
SETTINGS = discord.Colour(0x5865F2)

BAR_CELLS = 14
"""So many fit in one line of a phone of 360 pixels."""

FIELD_CHARACTERS = 1024
"""What Discord accepts."""

EMBED_CHARACTERS = 5600
"""What Discord accepts, without a footer."""


def add_lines(embed: discord.Embed, heading: str, lines: Sequence[str]) -> None:
    """Add lines below a heading, in as many fields as needed, while the embed has room."""
    field: list[str] = []
    for line in [*lines, None]:
        full = line is None or len("\n".join([*field, line])) > FIELD_CHARACTERS
        if full and field and len(embed) + len("\n".join(field)) < EMBED_CHARACTERS:
            embed.add_field(name=heading, value="\n".join(field), inline=False)
            heading = "\u200b"
        field = [] if full else field
        field += [] if line is None else [line]


def progress_bar(fraction: float) -> str:
    """Return a progress bar of fixed width for a fraction of 0 to 1."""
    filled = round(max(0.0, min(1.0, fraction)) * BAR_CELLS)
    return "▰" * filled + "▱" * (BAR_CELLS - filled)


def duration(seconds: float) -> str:
    """Format seconds: `45 s`, `3 min 20 s`, `1 h 5 min`."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, seconds_left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {seconds_left} s" if seconds_left else f"{minutes} min"
    return f"{seconds_left} s"


def count(number: int) -> str:
    """Format a whole number with separators of thousands."""
    return _formatted(number, "#,##0")


def decimal(number: float) -> str:
    """Format a number with up to three decimal places."""
    return _formatted(number, "#,##0.###")


def nats(loss: float | None) -> str:
    """Format a loss in nats with three decimal places; a dash for None."""
    if loss is None:
        return "–"
    return _("{loss} nats").format(loss=_formatted(loss, "0.000"))


def bits(loss: float) -> str:
    """Format a loss in bits with three decimal places.

    Args:
        loss: in nats.
    """
    return _("{bits} bits").format(bits=_formatted(loss / math.log(2), "0.000"))


def percent(share: float) -> str:
    """Format a share of 0 to 1 as whole percent: `62%`, in German `62 %`."""
    return str(format_percent(share, locale=i18n.language()))


def size(bytes_: int) -> str:
    """Format a number of bytes: `640 B`, `1.4 KiB`, `12.0 MiB`."""
    if bytes_ < 2**10:
        return f"{bytes_} B"
    unit, name = next((2**n, name) for n, name in ((30, "GiB"), (20, "MiB"), (10, "KiB")) if bytes_ >= 2**n)
    return f"{_formatted(bytes_ / unit, '0.0')} {name}"


def _formatted(number: float, pattern: str) -> str:
    return str(format_decimal(number, format=pattern, locale=i18n.language()))
