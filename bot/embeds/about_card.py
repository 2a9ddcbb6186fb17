"""What this bot is: version, uptime, what it stores, licence and source, as a card."""

import datetime
from collections.abc import Mapping
from typing import Any

import discord

from bot.i18n import _
from bot.text import card_style

SOURCE = "Source, "


def about_card(package: Mapping[str, Any], started_at: datetime.datetime) -> discord.Embed:
    """Return the card.

    Args:
        package: metadata of the installed package in the JSON form of PEP 566; fields may be missing.
        started_at: when this process began to serve Discord.
    """
    embed = discord.Embed(
        title=f"Pastiche {package.get('version', '')}".rstrip(),
        description=_("Learns to write in the style of texts you upload."),
        colour=card_style.SAMPLE,
    )
    embed.add_field(name=_("Started"), value=discord.utils.format_dt(started_at, "R"))
    if licence := package.get("license_expression"):
        embed.add_field(name=_("Licence"), value=licence)
    # A host who changes the code names the changed source under [project.urls] in pyproject.toml.
    addresses = package.get("project_url", [])
    if source := next((each.removeprefix(SOURCE) for each in addresses if each.startswith(SOURCE)), None):
        embed.add_field(name=_("Source code"), value=source)
    embed.add_field(
        name=_("What is stored"),
        value=_(
            "Uploaded texts, the models that learned from them, schedules, settings, and who changed what. "
            "Never your messages, and never the texts and seeds of /generate.\n"
            "`/privacy show` lists everything and says how long it is kept; `/privacy delete` deletes it."
        ),
        inline=False,
    )
    return embed
