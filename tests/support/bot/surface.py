"""All that people can use of the bot, walked so that what is added later is tried too."""

import re
from collections.abc import Iterator
from re import _constants as op
from re import _parser
from typing import Any

from discord import AppCommandOptionType as OptionType
from discord import app_commands

from tests.support.bot.world import Place, World


def commands_of(world: World) -> Iterator[app_commands.Command[Any, ..., Any]]:
    for command in world.bot.tree.walk_commands():
        if isinstance(command, app_commands.Command):
            yield command


def filled(
    world: World, place: Place, command: app_commands.Command[Any, ..., Any], option: str = ""
) -> dict:
    """Something that fits into every option that must be given, beside the one that is tried."""
    fillings: dict[OptionType, Any] = {
        OptionType.string: "Monk",
        OptionType.integer: 1,
        OptionType.number: 1.0,
        OptionType.boolean: True,
        OptionType.channel: place.channel,
        OptionType.role: place.guild.default_role,
        OptionType.user: place.member,
        OptionType.attachment: ("t.txt", b"To be, or not to be, that is the question.\n" * 200),
    }
    by_name = {"when": "daily 09:00", "timezone": "UTC", "text": "To be, or not to be, that is the question."}
    return {
        each.display_name: by_name.get(
            each.display_name, each.choices[0].value if each.choices else fillings[each.type]
        )
        for each in command.parameters
        if each.required and each.display_name != option
    }


def spelled(template: re.Pattern[str], groups: dict[str, str]) -> str | None:
    """A button's id that fits its template, with these in place of what the groups match."""
    names = {number: name for name, number in template.groupindex.items()}

    def spell(parsed: Any) -> str:
        return "".join(one(kind, argument) for kind, argument in parsed)

    def one(kind: Any, argument: Any) -> str:
        if kind in (op.LITERAL, op.NOT_LITERAL):
            return chr(argument if kind is op.LITERAL else argument + 1)
        if kind is op.IN:
            return one(*argument[0])
        if kind is op.RANGE:
            return chr(argument[0])
        if kind is op.CATEGORY:
            return "1"
        if kind is op.ANY:
            return "x"
        if kind is op.BRANCH:
            return spell(argument[1][0])
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            low, high, inside = argument
            return spell(inside) * max(low, min(1, high))
        if kind is op.SUBPATTERN:
            number, _, _, inside = argument
            return groups.get(names.get(number, ""), spell(inside))
        return ""

    text = spell(_parser.parse(template.pattern))
    return text if template.fullmatch(text) else None


def templates(world: World) -> list[re.Pattern[str]]:
    return list(world.bot._connection._view_store._dynamic_items)
