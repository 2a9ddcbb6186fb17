"""The reference of the slash commands, from the commands that the bot registers with Discord."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from discord import AppCommandOptionType as Kind
from discord import app_commands

import migrations
from bot.app import create_bot
from bot.commands import COMMAND_MODULES
from bot.embeds.help_card import usage, who_may
from bot.settings import Settings

KINDS = {
    Kind.string: "text",
    Kind.integer: "whole number",
    Kind.number: "number",
    Kind.boolean: "true or false",
    Kind.attachment: "file",
    Kind.channel: "channel",
    Kind.role: "role",
    Kind.user: "person",
}


async def slash_commands(data_dir: Path) -> str:
    """Return the page of the slash commands.

    Args:
        data_dir: an empty folder for the bot's database.
    """
    settings = Settings(_env_file=None, data_dir=data_dir)  # type: ignore[call-arg]
    migrations.upgrade(settings.database_url)
    async with create_bot(settings) as bot:
        for module in COMMAND_MODULES:
            await bot.load_extension(module)
        walked = [each for each in bot.tree.walk_commands() if isinstance(each, app_commands.Command)]
        menus = [each for each in bot.tree.get_commands() if isinstance(each, app_commands.ContextMenu)]
        return _page(sorted(walked, key=lambda each: each.qualified_name), menus)


def _page(commands: list[app_commands.Command[Any, ..., Any]], menus: list[app_commands.ContextMenu]) -> str:
    lines = [
        "# Slash commands",
        "",
        "What you can type in Discord. Options in brackets can be left out. `/help` shows the same in",
        "Discord, in your language, and with the roles that your server chose.",
        "",
    ]
    for command in commands:
        lines += [f"## `/{command.qualified_name}`", "", f"{command.description} For {_who(command)}.", ""]
        lines += ["```text", usage(command), "```", ""]
        if command.parameters:
            lines += ["| option | kind | needed | what it does |", "|---|---|---|---|"]
            lines += [_option(each) for each in command.parameters]
            lines += [""]
    lines += ["## In the menu of a message", "", "Under *Apps* in a message's menu:", ""]
    lines += [f"- *{menu.name}*" for menu in sorted(menus, key=lambda menu: menu.name)]
    return "\n".join([*lines, ""])


def _who(command: app_commands.Command[Any, ..., Any]) -> str:
    needed = who_may(command, None)
    return needed if needed == "everyone" else f"people with *{needed}*"


def _option(option: app_commands.Parameter) -> str:
    kind = KINDS.get(option.type, option.type.name)
    if option.min_value is not None and option.max_value is not None and option.type is not Kind.string:
        kind += f", {option.min_value:,} to {option.max_value:,}"
    if option.choices:
        kind = ", ".join(f"*{choice.name}*" for choice in option.choices)
    about = str(option.description).replace("|", "\\|").replace("<", "\\<")
    return f"| `{option.display_name}` | {kind} | {'yes' if option.required else 'no'} | {about} |"
