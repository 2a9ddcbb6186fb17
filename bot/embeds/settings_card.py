"""The settings of a server as one card, the list of what can be set, and what a change changed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot.guilds import setting_values
from bot.guilds.settings import GROUPS, SETTINGS, Kind, Setting
from bot.i18n import _, ngettext
from bot.text import card_style, hidden_words, safe_text
from models import GuildSettings

CHANGED, DEFAULT = "◆", "◇"
HIDDEN_CHARACTERS = 300


@dataclass(frozen=True)
class Change:
    """A setting that got another value; for a model, what both are called."""

    setting: Setting
    old: Any
    new: Any


def settings_card(
    guild_name: str,
    settings: GuildSettings,
    model_name: str | None,
    stale: Collection[str],
    *,
    used: str,
) -> discord.Embed:
    """Every setting by group; what differs from its default is marked.

    Args:
        guild_name: of the server.
        settings: its row, or the defaults.
        model_name: of its default model.
        stale: options that name what is not there any more.
        used: what the server stores of what it may store, as a line.
    """
    embed = discord.Embed(
        title=_("Settings of {server}").format(server=safe_text.safe_within(guild_name, 150)),
        colour=card_style.SETTINGS,
    )
    for heading, group in GROUPS.items():
        lines = [_line(each, settings, model_name, is_stale=each.option in stale) for each in group]
        card_style.add_lines(embed, _(heading), lines)
    embed.add_field(name=_("Stored"), value=used, inline=False)
    number = sum(setting_values.changed(setting, settings) for setting in SETTINGS)
    differs = ngettext(
        "{number} setting differs from its default", "{number} settings differ from their defaults", number
    )
    embed.set_footer(
        text=f"{CHANGED} {differs.format(number=number)} · /settings edit · /settings reset"
        if number
        else _("All settings have their defaults") + " · /settings edit"
    )
    return embed


def options_card() -> discord.Embed:
    """What `/settings edit` can be given."""
    embed = discord.Embed(
        title=_("What can be set"),
        description=_("Name one or more of these options in /settings edit."),
        colour=card_style.SETTINGS,
    )
    for heading, group in GROUPS.items():
        lines = [f"`{each.option}` {_(each.description)}{_bounds(each)}" for each in group]
        card_style.add_lines(embed, _(heading), lines)
    return embed


def changes_card(changes: Sequence[Change], model_names: Mapping[int, str]) -> discord.Embed:
    """What a change or a reset did; words that are hidden are only counted."""

    def shown(change: Change, value: Any) -> str:
        return setting_values.shown(change.setting, value, model_name=model_names.get(value or 0))

    lines = [
        f"`{change.setting.option}` {shown(change, change.old)} → **{shown(change, change.new)}**"
        for change in changes
    ]
    return discord.Embed(
        title=ngettext("Setting changed", "Settings changed", len(changes)),
        description="\n".join(lines),
        colour=card_style.DONE,
    )


def _line(setting: Setting, settings: GuildSettings, model_name: str | None, *, is_stale: bool) -> str:
    value = getattr(settings, setting.column)
    shown = setting_values.shown(setting, value, model_name=model_name)
    if not setting_values.changed(setting, settings):
        return f"{DEFAULT} `{setting.option}` {shown}"
    line = f"{CHANGED} `{setting.option}` **{shown}**"
    if setting.kind is Kind.WORDS:
        with hidden_words.all_shown():
            words = safe_text.safe_within(value.replace("\n", ", "), HIDDEN_CHARACTERS)
        line += f" ||{words}||"
    if is_stale:
        line += " · ⚠️ " + _("no longer exists: choose another one, or /settings reset")
    default = setting_values.shown(setting, setting.default)
    return line + " · " + _("default: {value}").format(value=default)


def _bounds(setting: Setting) -> str:
    if setting.kind not in {Kind.DECIMAL, Kind.WHOLE}:
        return ""
    # The joiners keep it in one line.
    return f" ({card_style.decimal(setting.low)}\u2060–\u2060{card_style.decimal(setting.high)})"
