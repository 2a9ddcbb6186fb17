"""Formats an embed as plain text, for channels in which the bot lacks Embed Links."""

import discord

from bot.text import safe_text

MESSAGE_CHARACTERS = 1900


def plain_text(embed: discord.Embed) -> str:
    """Return title, description, fields and footer, shortened to fit a message."""
    parts = [f"**{embed.title}**" if embed.title else "", embed.description or ""]
    parts += [f"**{field.name}**\n{field.value}" for field in embed.fields]
    parts.append(f"-# {embed.footer.text}" if embed.footer.text else "")
    return safe_text.shorten("\n".join(part for part in parts if part), MESSAGE_CHARACTERS)
