"""An embed as plain text, for channels in which the bot may embed nothing."""

import discord

from bot.text import safe_text

MESSAGE_CHARACTERS = 1900


def plain_text(embed: discord.Embed) -> str:
    """Title, description, fields and footer, shortened to a message."""
    parts = [f"**{embed.title}**" if embed.title else "", embed.description or ""]
    parts += [f"**{field.name}**\n{field.value}" for field in embed.fields]
    parts.append(f"-# {embed.footer.text}" if embed.footer.text else "")
    return safe_text.shorten("\n".join(part for part in parts if part), MESSAGE_CHARACTERS)
