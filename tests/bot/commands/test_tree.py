"""What no database can hold is kept out of every text option of every command."""

import pytest
from discord import AppCommandOptionType as OptionType

from bot.text.cleaning import storable
from tests.support.bot.surface import commands_of, filled
from tests.support.bot.world import Place, World


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("to be\0", "to be"),
        ("\ud800to \udc00be", "to be"),
        ("smile \ud83d\ude00", "smile \U0001f600"),
        ("\ude00\ud83d", ""),
        ("über 漢字\r\n\t", "über 漢字\r\n\t"),
    ],
)
def test_only_what_cannot_be_stored_is_removed(typed: str, kept: str):
    assert storable(typed) == kept


@pytest.mark.slow
async def test_every_option_of_every_command_takes_it(world: World, stratford: Place):
    tried = 0
    for command in commands_of(world):
        for option in command.parameters:
            if option.type is not OptionType.string or option.choices:
                continue
            tried += 1
            options = filled(world, stratford, command, option.display_name)
            options[option.display_name] = "Bard\ud800\0".ljust(option.min_value or 0, "d")
            await stratford.admin.slash(stratford.channel, command.qualified_name, **options)
            assert world.env.errors == [], f"/{command.qualified_name} {option.display_name}"
    assert tried >= 12
