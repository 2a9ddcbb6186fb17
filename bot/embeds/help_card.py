"""The cards of `/help`: all commands by group with who may use them, or one command with its options."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import discord
from discord import app_commands

from bot.i18n import _, marked
from bot.text import card_style
from models import GuildSettings

AnyCommand = app_commands.Command[Any, ..., Any]

# Headings, and the first words of their commands; a command that is not listed goes below the last heading.
GROUPS = (
    (marked("Write and guess"), ("generate", "who", "game")),
    (marked("Train"), ("train", "models", "jobs")),
    (marked("Set up"), ("settings", "schedule")),
    (marked("Privacy and help"), ("privacy",)),
)

# Commands that take the right to generate.
GENERATING = ("generate", "who", "game play")


def usage(command: AnyCommand) -> str:
    """The command with its options; what may be left out stands in brackets."""
    options = (
        option.display_name if option.required else f"[{option.display_name}]"
        for option in command.parameters
    )
    return " ".join((f"/{command.qualified_name}", *options))


def who_may(command: AnyCommand, settings: GuildSettings | None) -> str:
    """Who may use a command in a server; the command itself checks when it is used."""
    root = command.root_parent or command
    generates = command.qualified_name in GENERATING
    if generates and settings is not None and settings.generate_role_id is not None:
        return _("{role} and Manage Server").format(role=f"<@&{settings.generate_role_id}>")
    if root.name == "train" and settings is not None and settings.trainer_role_id is not None:
        return _("{role} and Manage Server").format(role=f"<@&{settings.trainer_role_id}>")
    needed = command.default_permissions or root.default_permissions
    return _("Manage Server") if needed is not None and needed.manage_guild else _("everyone")


def commands_card(
    commands: Sequence[AnyCommand],
    menus: Sequence[app_commands.ContextMenu],
    ids: Mapping[str, int],
    settings: GuildSettings | None,
) -> discord.Embed:
    """Every command by group, in one embed that fits the screen of a small phone.

    Commands with the same first word share a line, and `/help` itself is left to the footer.

    Args:
        commands: every slash command.
        menus: every menu of messages.
        ids: Discord ids of the commands, by their first words.
        settings: row of the server; None in a direct message.
    """
    embed = discord.Embed(title="Pastiche", colour=card_style.SAMPLE)
    families = {
        root: _in_order(list(family)) for root, family in groupby(commands, key=_root) if root != "help"
    }
    for heading, names in GROUPS:
        shown = [families.pop(name) for name in names if name in families]
        if heading is GROUPS[-1][0]:
            shown += families.values()
        whose = {who_may(command, settings) for family in shown for command in family}
        if whose == {_("Manage Server")}:
            # Said once in the heading; commands for everyone have no such note.
            lines = [_line(family, ids) for family in shown]
            title = f"{_(heading)} · {whose.pop()}"
        else:
            lines = [_line(family, ids, who_may(family[0], settings)) for family in shown]
            title = _(heading)
        if heading is GROUPS[0][0] and menus:
            menu_names = ", ".join(f"**{_(menu.name)}**" for menu in menus)
            lines.append(_("In a message's menu, under Apps: {names}").format(names=menu_names))
        card_style.add_lines(embed, title, lines)
    embed.set_footer(text=_("/help command: shows one with all its options"))
    return embed


def command_card(
    command: AnyCommand, ids: Mapping[str, int], settings: GuildSettings | None
) -> discord.Embed:
    """One command with its options, and who may use it."""
    embed = discord.Embed(
        title=f"/{command.qualified_name}",
        description=f"{_(command.description)}\n{_mention(command, ids)} · {who_may(command, settings)}",
        colour=card_style.SAMPLE,
    )
    lines = []
    for option in command.parameters:
        mark = " *" + _("required") + "*" if option.required else ""
        description = "" if option.description == "…" else f" {_(str(option.description))}"
        lines.append(f"`{option.display_name}`{mark}{description}")
    card_style.add_lines(embed, _("Options"), lines)
    return embed


def _in_order(family: list[AnyCommand]) -> list[AnyCommand]:
    """The commands with one first word in the order in which their group defines them."""
    group = family[0].root_parent
    if group is None:
        return family
    return [each for each in group.walk_commands() if isinstance(each, app_commands.Command)]


def _root(command: AnyCommand) -> str:
    return (command.root_parent or command).name


def _mention(command: AnyCommand, ids: Mapping[str, int]) -> str:
    known = ids.get(_root(command))
    name = command.qualified_name
    return f"</{name}:{known}>" if known else f"`/{name}`"


def _line(family: Sequence[AnyCommand], ids: Mapping[str, int], who: str | None = None) -> str:
    """A command with what it does, or the commands with one first word."""
    first, *others = family
    said = " · ".join(each.name for each in others)
    line = f"{_mention(first, ids)} · {said}" if others else f"{_mention(first, ids)} {_(first.description)}"
    return line if who in (None, _("everyone")) else f"{line} · *{who}*"
