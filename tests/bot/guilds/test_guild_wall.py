"""Two guilds cannot see each other: a foreign model and an absent one get the same answer."""

import copy
from pathlib import Path

import pytest

from bot.views.model_panel import ACTIONS
from models import JobState, audit, guilds, text_models, training_jobs
from tests.support.bot.world import Place, World, answer, private_line, shown


async def test_a_foreign_model_is_as_absent_as_one_that_is_not(stratford: Place, abbey: Place):
    foreign = private_line(await abbey.admin.slash(abbey.channel, "generate", model="Bard"))
    absent = private_line(await abbey.admin.slash(abbey.channel, "generate", model="Drab"))
    assert foreign.replace("Bard", "?") == absent.replace("Drab", "?")


async def test_autocomplete_and_the_list_offer_only_the_guilds_own(stratford: Place, abbey: Place):
    assert await abbey.member.autocomplete(abbey.channel, "generate", "model", "") == [
        {"name": "Monk", "value": "Monk"}
    ]
    assert await abbey.member.autocomplete(abbey.channel, "generate", "model", "bar") == []
    models = shown(answer(await abbey.member.slash(abbey.channel, "models")))
    assert "Monk" in models
    assert "Bard" not in models


async def test_both_may_have_a_model_of_one_name(world: World, stratford: Place, trained_bundle: Path):
    other = world.place("Other")
    world.give_model(other, trained_bundle, "Bard")
    for place in (stratford, other):
        assert "Bard" in shown(answer(await place.member.slash(place.channel, "generate", length=10)))


def forge(world: World, place: Place, message_id: int, custom_id: str) -> None:
    """Put another id on a message's button, as a modified client would send it."""
    stored = world.env.backend.get_message(place.channel.id, message_id)
    stored.components[0]["components"][0]["custom_id"] = custom_id


async def test_an_again_button_with_a_foreign_models_id_finds_nothing(
    world: World, stratford: Place, abbey: Place, trained_bundle: Path
):
    ours = answer(await stratford.member.slash(stratford.channel, "generate", length=10))
    stored = world.env.backend.get_message(stratford.channel.id, ours.id)
    stolen = copy.deepcopy(stored.components[0]["components"][0]["custom_id"])
    theirs = answer(await abbey.member.slash(abbey.channel, "generate", length=10))
    forge(world, abbey, theirs.id, stolen)
    foreign = private_line(await abbey.member.click(theirs.message, label="Again"))
    forge(world, abbey, theirs.id, "again:999999:10:700:-:1:0")
    assert foreign == private_line(await abbey.member.click(theirs.message, label="Again"))


async def test_a_base_of_another_guild_is_as_absent_as_one_that_is_not(
    stratford: Place, abbey: Place, corpus_text: str
):
    assert await abbey.admin.autocomplete(abbey.channel, "train", "base", "") == [
        {"name": "Monk", "value": "Monk"}
    ]
    options = {"name": "New", "corpus": ("t.txt", corpus_text.encode()), "rights": True}
    foreign = private_line(await abbey.admin.slash(abbey.channel, "train", base="Bard", **options))
    absent = private_line(await abbey.admin.slash(abbey.channel, "train", base="Drab", **options))
    assert foreign.replace("Bard", "?") == absent.replace("Drab", "?")


@pytest.mark.parametrize("button", ["trained:try", "trained:default"])
async def test_a_finished_trainings_button_with_a_foreign_models_id_finds_nothing(
    world: World, stratford: Place, abbey: Place, button: str
):
    with world.bot.database.read() as session:
        (bard,) = text_models.listing(session, stratford.guild.id)
    theirs = answer(await abbey.member.slash(abbey.channel, "generate", length=10))
    lines = []
    for model_id in (bard.id, 999_999):
        forge(world, abbey, theirs.id, f"{button}:{model_id}")
        lines.append(private_line(await abbey.admin.click(theirs.message, label="Again")))
    assert lines[0] == lines[1]
    with world.bot.database.read() as session:
        assert guilds.settings_of(session, abbey.guild.id).default_model_id is None


FORGED_SAMPLE_BUTTONS = [
    "again:{model}:10:700:-:1:0",
    "again:{model}:10:700:900:5:1",
    "continue:0:{model}:10:700:-",
]


@pytest.mark.parametrize("custom_id", FORGED_SAMPLE_BUTTONS)
@pytest.mark.slow
async def test_a_button_below_a_sample_with_a_foreign_models_id_finds_nothing(
    world: World, stratford: Place, abbey: Place, custom_id: str
):
    theirs = answer(await abbey.member.slash(abbey.channel, "generate", seed="to be", length=10))
    lines = []
    for model in (model_id(world, stratford), 999_999):
        forge(world, abbey, theirs.id, custom_id.format(model=model))
        clicked = await abbey.admin.click(theirs.message, custom_id=custom_id.format(model=model))
        lines.append(private_line(clicked))
    assert lines[0] == lines[1] == "There is no such model here. /models lists what there is."


def model_id(world: World, place: Place) -> int:
    with world.bot.database.read() as session:
        return text_models.listing(session, place.guild.id)[0].id


async def test_a_foreign_models_panel_is_as_absent_as_one_that_is_not(stratford: Place, abbey: Place):
    foreign = private_line(await abbey.admin.slash(abbey.channel, "models", model="Bard"))
    absent = private_line(await abbey.admin.slash(abbey.channel, "models", model="Drab"))
    assert foreign.replace("Bard", "?") == absent.replace("Drab", "?")
    assert await abbey.admin.autocomplete(abbey.channel, "models", "model", "ba") == []


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_button_of_a_panel_with_a_foreign_models_id_finds_nothing(
    world: World, stratford: Place, abbey: Place, action: str
):
    panel = answer(await abbey.admin.slash(abbey.channel, "models", model="Monk"))
    bard = model_id(world, stratford)
    lines = []
    for model in (bard, 999_999):
        forge(world, abbey, panel.id, f"model:{action}:{model}")
        lines.append(
            private_line(await abbey.admin.click(panel.message, custom_id=f"model:{action}:{model}"))
        )
    assert lines[0] == lines[1] == "There is no such model here. /models lists what there is."
    with world.bot.database.read() as session:
        assert text_models.get(session, stratford.guild.id, bard).name == "Bard"
        assert guilds.settings_of(session, abbey.guild.id).default_model_id is None
        assert not audit.listing(session, abbey.guild.id)


async def test_a_foreign_model_cannot_be_chosen_from_the_list(world: World, stratford: Place, abbey: Place):
    listed = answer(await abbey.admin.slash(abbey.channel, "models"))
    stored = world.env.backend.get_message(abbey.channel.id, listed.id)
    options = stored.components[0]["components"][0]["options"]
    lines = []
    for value in (str(model_id(world, stratford)), "999999", "x" * 90, "9" * 19):
        options[0]["value"] = value
        lines.append(private_line(await abbey.admin.select(listed.message, [value])))
    assert lines[0] == lines[1] == "There is no such model here. /models lists what there is."
    assert lines[2] == lines[3] == "That is not a model. /models lists all models."


async def test_a_form_for_a_model_that_became_foreign_changes_nothing(
    world: World, stratford: Place, abbey: Place
):
    panel = answer(await abbey.admin.slash(abbey.channel, "models", model="Monk"))
    form = await abbey.admin.click(panel.message, label="Rename")
    with world.bot.database.write() as session:
        text_models.delete(session, abbey.guild.id, model_id(world, abbey))
    assert "no such model here" in private_line(await abbey.admin.submit_modal(form, {"name": "Mine"}))
    with world.bot.database.read() as session:
        assert [model.name for model in text_models.listing(session, stratford.guild.id)] == ["Bard"]


@pytest.mark.parametrize("button", ["cancel", "finish"])
async def test_a_cards_button_with_a_foreign_jobs_id_finds_nothing(
    world: World, stratford: Place, abbey: Place, corpus_text: str, button: str
):
    world.hold_back()  # it stays queued
    corpus = ("t.txt", corpus_text.encode())
    for place in (stratford, abbey):
        await place.admin.slash(place.channel, "train", name="New", corpus=corpus, rights=True)
    with world.bot.database.read() as session:
        (job,) = training_jobs.listing(session, stratford.guild.id)
    card = abbey.channel.last_message
    lines = []
    for job_id in (job.id, "0" * 32):
        forge(world, abbey, card.id, f"{button}:{job_id}")
        lines.append(private_line(await abbey.admin.click(card, label="Cancel")))
    assert lines == ["There is no such training here."] * 2
    with world.bot.database.read() as session:
        assert training_jobs.get(session, stratford.guild.id, job.id).state is JobState.QUEUED
