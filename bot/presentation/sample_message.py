"""A sample as one message: its seed in bold, the text, a footer with what it takes to get it again."""

import io
from dataclasses import dataclass

import discord

from bot.presentation import safe_text, style

# Discord's limit on an embed's description is 4,096 code units; an emoji outside the BMP counts as two.
DESCRIPTION_UNITS = 4096
EXCERPT_CHARACTERS = 1200


@dataclass(frozen=True)
class Sample:
    """A sampled text and how it came about.

    Attributes:
        model_name: as the guild calls the model.
        seed: text it goes on from.
        text: what was written, without the seed.
        temperature: of the sampling.
        random_seed: draws the same text again.
    """

    model_name: str
    seed: str
    text: str
    temperature: float
    random_seed: int


@dataclass(frozen=True)
class SampleMessage:
    """What to send: an embed, and a file if the text is too long for it."""

    embed: discord.Embed
    file: discord.File | None


def sample_message(sample: Sample) -> SampleMessage:
    """Put a sample into an embed; a text that does not fit is shown in part and attached whole."""
    seed = f"**{safe_text.safe(sample.seed)}**" if sample.seed.strip() else safe_text.safe(sample.seed)
    description = seed + safe_text.safe(sample.text)
    file = None
    if code_units(description) > DESCRIPTION_UNITS:
        description = seed + safe_text.safe(safe_text.shorten(sample.text, EXCERPT_CHARACTERS))
        description += "\n\n*The whole text is attached.*"
        whole = safe_text.file_bytes(sample.seed + sample.text)
        file = discord.File(io.BytesIO(whole), filename="sample.txt")
    embed = discord.Embed(description=description, colour=style.SAMPLE)
    embed.set_footer(
        text=f"{safe_text.plain(sample.model_name)} · temperature {sample.temperature:g} "
        f"· random seed {sample.random_seed}"
    )
    return SampleMessage(embed, file)


def seed_of(message: discord.Message) -> str:
    """The seed of a sample, read back from its message; empty if there is none."""
    description = (message.embeds[0].description or "") if message.embeds else ""
    if not description.startswith("**"):
        return ""
    at = 2
    while at < len(description):
        if description[at] == "\\":
            at += 2
        elif description.startswith("**", at):
            return safe_text.unescape(description[2:at])
        else:
            at += 1
    return ""


def code_units(text: str) -> int:
    """Length in UTF-16 code units, as Discord counts."""
    return len(text.encode("utf-16-le")) // 2
