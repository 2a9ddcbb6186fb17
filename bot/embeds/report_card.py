"""What those who look after a server see of a reported text."""

import discord

from bot.embeds.sample_message import text_of
from bot.i18n import _
from bot.text import safe_text, style
from bot.text.splitting import beginning

TEXT_UNITS = 2000


def report_card(message: discord.Message, reported_by: int) -> discord.Embed:
    """The text, who reported it and where it stands.

    Args:
        message: the samples.
        reported_by: Discord id of who pressed Report.
    """
    text = text_of(message)
    shown = beginning(text, TEXT_UNITS)
    quoted = "\n".join(f"> {line}" for line in safe_text.safe(shown).split("\n"))
    embed = discord.Embed(
        title=_("Reported text"),
        description=quoted + ("…" if shown != text else ""),
        colour=style.FAILED,
        timestamp=message.created_at,
    )
    embed.add_field(name=_("Reported by"), value=f"<@{reported_by}>")
    if not message.flags.ephemeral:
        embed.add_field(name=_("Message"), value=message.jump_url)
    footers = [embed.footer.text for embed in message.embeds if embed.footer.text]
    if footers:
        embed.set_footer(text=safe_text.shorten(safe_text.plain(footers[0]), 1000))
    return embed
