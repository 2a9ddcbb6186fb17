"""Samples, their buttons, and what is refused."""

from typing import Any

import discord

from models import guilds
from tests.gallery.stage import Stage

SEED = "To be, or not to be: "


async def scene(stage: Stage) -> None:
    place, world = stage.place, stage.world
    stage.keep("refused: no model yet", await stage.slash("generate", place.member))
    world.give_model(place, stage.bundle)

    async def write(**options: Any) -> Any:
        return await stage.slash("generate", place.member, **({"random_seed": 7, "length": 300} | options))

    sample = await write(seed=SEED)
    stage.keep("sample", sample)
    stage.keep("sample with every option", await write(seed=SEED + "🦉", top_p=0.9, typical_p=0.95))
    stage.keep("samples", await write(count=3, length=120))
    stage.keep("sample as a file", await write(length=2000, count=5))
    continued = await place.member.click(sample.response, custom_id=_id(sample.response, "continue"))
    stage.keep("sample that continues", continued)
    with world.bot.database.write() as session:
        reports = place.guild.create_text_channel("reports")
        guilds.edit(session, place.guild.id, report_channel_id=reports.id)
    sent = await place.member.click(sample.response, custom_id="report")
    stage.keep("report sent", sent)
    stage.keep("reported", reports.last_message)
    stage.keep("refused: unknown model", await write(model="Faust"))
    stage.keep("refused: unseen seed", await write(seed="🦉"))
    await _refusals(stage, write)
    me = place.guild.me
    assert me is not None
    mute = {me: discord.PermissionOverwrite(attach_files=False)}
    place.channel = place.guild.create_text_channel("no-files", overwrites=mute)
    stage.keep("sample shortened", await write(length=2000, count=5))


async def _refusals(stage: Stage, write: Any) -> None:
    cooldowns = stage.world.bot.cooldowns
    clock, cooldowns.clock = cooldowns.clock, lambda: 0.0
    await write()
    stage.keep("refused: too soon", await write())
    cooldowns.clock = clock
    with stage.patch.context() as patch:
        patch.setattr("bot.views.sample_buttons.generate", _fails)
        stage.keep("refused: an unexpected error", await write())


async def _fails(*_: Any) -> None:
    raise RuntimeError("of the gallery")


def _id(message: Any, begins: str) -> str:
    """The id of the first button that begins so."""
    ids = [item["custom_id"] for row in message.components for item in row["components"]]
    return next(each for each in ids if each.startswith(begins))
