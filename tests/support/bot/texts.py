"""Texts that a person asks for, and what the bot answers when it is asked whether it wrote one."""

import simcord

from tests.support.bot.world import Place, answer, shown

VERIFY = "Did you write this?"


async def generated(place: Place, **options: object) -> simcord.ResponseMessage:
    """Ask for a text; an option that is None is left out."""
    given = {name: value for name, value in options.items() if value is not None}
    return answer(await place.member.slash(place.channel, "generate", **given))


async def verdict(place: Place, message: object) -> str:
    """Return the private answer about a message."""
    told = answer(await place.member.context_menu(place.channel, VERIFY, message))
    assert told.ephemeral
    assert told.embeds, told.content
    return shown(told).removeprefix("Did I write this?\n")
