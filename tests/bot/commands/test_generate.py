import os
import re
import signal
from pathlib import Path

import pytest

from models import guilds, text_models
from tests.support.bot.world import Place, World, answer, private_line, shown


@pytest.fixture
def stratford(world: World, trained_bundle: Path) -> Place:
    place = world.place()
    world.give_model(place, trained_bundle)
    return place


async def test_a_sample_shows_its_seed_its_text_and_what_draws_it_again(stratford: Place):
    options = {"seed": "to be", "length": 200, "temperature": 0.5, "random_seed": 11}
    message = answer(await stratford.member.slash(stratford.channel, "generate", **options))
    assert not message.ephemeral
    text = message.embeds[0].description
    assert text.startswith("**to be**")
    assert len(text) >= 200
    assert re.fullmatch(
        r"Bard · temperature 0\.5 · random seed 11 · TG1[0-9A-Z]{28,38}", message.embeds[0].footer.text
    )

    again = answer(await stratford.member.slash(stratford.channel, "generate", **options))
    assert again.embeds[0].description == text


async def test_without_options_the_newest_model_goes_on_from_a_line_of_the_corpus(
    world: World, stratford: Place, trained_bundle: Path
):
    world.give_model(stratford, trained_bundle, "Newer")
    message = answer(await stratford.member.slash(stratford.channel, "generate"))
    assert message.embeds[0].footer.text.startswith("Newer · temperature 0.7 · random seed ")
    assert message.embeds[0].description.startswith("**")


async def test_the_guilds_default_model_goes_before_the_newest(
    world: World, stratford: Place, trained_bundle: Path
):
    world.give_model(stratford, trained_bundle, "Newer")
    with world.bot.database.write() as session:
        bard = text_models.by_name(session, stratford.guild.id, "bard")
        guilds.edit(session, stratford.guild.id, default_model_id=bard.id)
    message = answer(await stratford.member.slash(stratford.channel, "generate", length=10))
    assert message.embeds[0].footer.text.startswith("Bard ·")


@pytest.mark.slow
async def test_again_keeps_seed_and_settings_with_a_new_random_seed_even_after_a_restart(
    world: World, stratford: Place
):
    first = answer(
        await stratford.member.slash(
            stratford.channel, "generate", seed="my lord, no", length=60, temperature=1.2, random_seed=5
        )
    )
    await world.restart()
    second = answer(await stratford.member.click(first.message, label="Again"))
    assert not second.ephemeral
    assert second.embeds[0].description.startswith("**my lord, no**")
    assert second.embeds[0].description != first.embeds[0].description
    assert "Bard · temperature 1.2 · random seed" in shown(second)
    assert "random seed 5 " not in shown(second)
    third = answer(await stratford.member.click(second.message, label="Again"))
    assert third.embeds[0].description.startswith("**my lord, no**")


async def test_again_of_a_model_that_is_gone_says_so_privately(world: World, stratford: Place):
    first = answer(await stratford.member.slash(stratford.channel, "generate", length=10))
    with world.bot.database.write() as session:
        session.delete(text_models.by_name(session, stratford.guild.id, "Bard"))
    assert "no such model here" in private_line(await stratford.member.click(first.message, label="Again"))


async def test_a_chosen_role_is_needed_for_the_command_and_for_again(world: World, stratford: Place):
    first = answer(await stratford.member.slash(stratford.channel, "generate", length=10))
    poets = stratford.guild.create_role("Poets")
    poet = stratford.guild.add_member(world.env.create_user("poet"), roles=[poets])
    with world.bot.database.write() as session:
        guilds.edit(session, stratford.guild.id, generate_role_id=poets.id)
    refused = await stratford.member.slash(stratford.channel, "generate", length=10)
    assert private_line(refused) == f"You need the role <@&{poets.id}> to generate texts here."
    assert "You need the role" in private_line(await stratford.member.click(first.message, label="Again"))
    assert not answer(await poet.slash(stratford.channel, "generate", length=10)).ephemeral
    assert not answer(await stratford.admin.slash(stratford.channel, "generate", length=10)).ephemeral


BAD_OPTIONS = [
    pytest.param({"seed": "日本"}, "日", id="a seed with characters the model never saw"),
    pytest.param({"model": "Nobody"}, "no model named “Nobody” here", id="an unknown model"),
    pytest.param({"model": "1"}, "no model named “1” here", id="a model's id for its name"),
    pytest.param({"model": "@everyone"}, "no model named", id="a mention for a name"),
]


@pytest.mark.parametrize(("options", "says"), BAD_OPTIONS)
async def test_a_request_that_cannot_be_met_is_one_private_line(stratford: Place, options: dict, says: str):
    line = private_line(await stratford.member.slash(stratford.channel, "generate", **options))
    assert says in line
    assert "@everyone" not in line


async def test_without_a_model_the_line_says_how_to_get_one(world: World):
    empty = world.place()
    line = private_line(await empty.member.slash(empty.channel, "generate"))
    assert line == "There is no model here yet. Train one: /train with a text you may use."


async def test_a_flipped_byte_in_a_bundle_is_one_private_line(world: World, stratford: Place):
    (bundle,) = world.bot.layout.bundle(stratford.guild.id, "x").parent.iterdir()
    weights = bundle / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-100] ^= 1
    weights.write_bytes(data)
    line = private_line(await stratford.member.slash(stratford.channel, "generate", length=10))
    assert "damaged" in line
    # Which file it is stands in the log: nobody in Discord can do anything with it.
    assert "safetensors" not in line


@pytest.mark.slow
async def test_a_sampler_killed_at_work_is_replaced_and_nobody_notices(world: World, stratford: Place):
    await stratford.member.slash(stratford.channel, "generate", length=10)  # starts the sampler
    (first,) = world.bot.pool.processes.pids
    for _ in range(3):
        os.kill(world.bot.pool.processes.pids[0], signal.SIGKILL)
        message = answer(await stratford.member.slash(stratford.channel, "generate", length=50))
        assert not message.ephemeral
    assert world.bot.pool.processes.pids != [first]
