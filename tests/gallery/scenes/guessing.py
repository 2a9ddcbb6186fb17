"""Who wrote it, and the game."""

import random

import discord

from bot.game import starting
from models import corpora
from tests.gallery.stage import Stage
from tests.support.textgen.bundles import write_random_bundle
from textgen.corpus.shakespeare import plays

UNSEEN = slice(60_000, 60_260)
"""Lines of the plays that the trained model has not learned from."""


async def scene(stage: Stage) -> None:
    place, world = stage.place, stage.world
    text = plays()[0]
    world.give_model(place, stage.bundle, "Bard")
    write_random_bundle(stage.folder / "noise", "linear")
    world.give_model(place, stage.folder / "noise", "Noise")
    stage.keep("who wrote it", await stage.slash("who", place.member, text=text[UNSEEN]))
    foreign = "qzx vvkj wwxq pfft zzkq jjxv " * 4
    stage.keep("who wrote it: none of them", await stage.slash("who", place.member, text=foreign))
    await _play(stage, text)


async def _play(stage: Stage, text: str) -> None:
    place, world = stage.place, stage.world
    corpus_id = world.learn_from(place, text[:60_000], stage.folder)
    stage.keep("refused: no lines", await stage.slash("game play", place.member))
    with world.bot.database.write() as session:
        corpora.get(session, place.guild.id, corpus_id).quotable = True
    drawn = random.Random(5)
    drawn.random = lambda: 0.0
    stage.patch.setattr(starting, "chance", drawn)
    await stage.slash("game scores", place.member, keep=True)
    stage.keep("game", question := await stage.slash("game play", place.member))
    (real,) = [
        button["custom_id"]
        for row in question.response.components
        for button in row["components"]
        if button["custom_id"].endswith(":real")
    ]
    stage.keep("game, answered", await place.member.click(question.response, custom_id=real))
    stage.keep("game scores, none", await stage.slash("game scores"))
    game, now = world.bot.get_cog("Game"), discord.utils.utcnow() + 2 * starting.ROUND
    stage.patch.setattr(world.bot, "clock", lambda: now)
    await game.closer.tick()
    await stage.until(lambda: "game:" not in str(question.response.message.components))
    stage.keep("game, solved", place.channel.history()[-1])
    stage.keep("game scores", await stage.slash("game scores", place.member))
