"""A sample read back from the message that shows it: the bot remembers no texts. Pure."""

import discord

from bot.embeds.sample_message import NOTE
from bot.text import safe_text
from bot.text.hidden_words import HIDDEN


def seed_of(message: discord.Message) -> str:
    """The seed of a message's (first) sample; empty if there is none."""
    return _parted(_description(message, 0))[0]


def text_of(message: discord.Message, number: int = 0) -> str:
    """What a message shows of a sample, its seed included.

    Args:
        message: one with samples.
        number: which of several, from 1; 0: all that the message shows.
    """
    if number:
        return "".join(_parted(_description(message, number - 1)))
    return "".join("".join(_parted(_written(embed))) for embed in message.embeds)


def after_hidden(text: str) -> str:
    """The part of a text after the last word that is hidden: no model can go on from one."""
    return text.rpartition(HIDDEN)[2]


def _description(message: discord.Message, index: int) -> str:
    return _written(message.embeds[index]) if index < len(message.embeds) else ""


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
