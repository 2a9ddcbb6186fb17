"""Colours, numbers and durations as every card shows them."""

import discord

QUEUED = discord.Colour(0x80848E)
TRAINING = discord.Colour(0xF0B232)
DONE = discord.Colour(0x23A55A)
FAILED = discord.Colour(0xDA373C)
CANCELLED = discord.Colour(0x4E5058)
SAMPLE = discord.Colour(0x7B61C9)

BAR_CELLS = 18


def progress_bar(fraction: float) -> str:
    """A bar of fixed width for a share of 0 to 1."""
    filled = round(max(0.0, min(1.0, fraction)) * BAR_CELLS)
    return "▰" * filled + "▱" * (BAR_CELLS - filled)


def duration(seconds: float) -> str:
    """Seconds as people say them: `45 s`, `3 min 20 s`, `1 h 5 min`."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, seconds_left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {seconds_left} s" if seconds_left else f"{minutes} min"
    return f"{seconds_left} s"


def count(number: int) -> str:
    """A whole number with thousands apart."""
    return f"{number:,}"


def nats(loss: float | None) -> str:
    """A loss in nats, three digits; a dash where there is none."""
    return "–" if loss is None else f"{loss:.3f} nats"
