"""The language of what everyone in a server reads: cards, posts and notices that nobody's command answers."""

import discord

from bot import i18n
from models import GuildSettings


def public_language(settings: GuildSettings, guild: discord.Guild | None) -> str:
    """Return the language that a server chose, else the one that Discord says of it.

    Args:
        settings: of the server.
        guild: the server; None if Discord has not described it yet.
    """
    return settings.language or (i18n.ENGLISH if guild is None else str(guild.preferred_locale))
