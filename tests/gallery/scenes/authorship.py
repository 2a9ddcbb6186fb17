"""The message menu that asks who wrote a text."""

from bot.embeds.sample_message import text_of
from tests.gallery.stage import Stage
from textgen.receipts.code import find_code

MENU = "Did you write this?"


async def scene(stage: Stage) -> None:
    place, world = stage.place, stage.world
    world.give_model(place, stage.bundle)
    asks = place.member.context_menu
    sample = await stage.slash(
        "generate", place.member, seed="To be, or not to be: ", length=200, random_seed=7
    )
    stage.keep("did you write this: yes", await asks(place.channel, MENU, sample.response.message))
    found = find_code(sample.response.embeds[0].footer.text)
    assert found is not None
    text = text_of(sample.response.message)
    changed = f"{text[:80]} a jest {text[90:]}\n{found[0]}"
    copied = await place.member.send(place.channel, changed)
    stage.keep("did you write this: changed", await asks(place.channel, MENU, copied))
    nothing = await place.member.send(place.channel, "All the world's a stage.")
    stage.keep("did you write this: no code", await asks(place.channel, MENU, nothing))
    stage.begin(stage.scene)
    world.give_model(stage.place, stage.bundle)
    elsewhere = await stage.place.member.send(stage.place.channel, f"All the world's a stage.\n{found[0]}")
    asked = await stage.place.member.context_menu(stage.place.channel, MENU, elsewhere)
    stage.keep("did you write this: other model", asked)
