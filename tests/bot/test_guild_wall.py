"""Two guilds cannot see each other: a foreign model and an absent one get the same answer."""

import copy
from pathlib import Path

import pytest

from models import JobState, training_jobs
from tests.bot.world import Place, World, answer, private_line, shown


@pytest.fixture
def stratford(world: World, trained_bundle: Path) -> Place:
    place = world.place("Stratford")
    world.give_model(place, trained_bundle, "Bard")
    return place


@pytest.fixture
def abbey(world: World, trained_bundle: Path) -> Place:
    place = world.place("Abbey")
    world.give_model(place, trained_bundle, "Monk")
    return place


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


async def test_a_cancel_button_with_a_foreign_jobs_id_finds_nothing(
    world: World, stratford: Place, abbey: Place, corpus_text: str
):
    world.bot.queue.enqueue = lambda job: None  # it stays queued
    corpus = ("t.txt", corpus_text.encode())
    for place in (stratford, abbey):
        await place.admin.slash(place.channel, "train", name="New", corpus=corpus, rights=True)
    with world.bot.database.read() as session:
        (job,) = training_jobs.listing(session, stratford.guild.id)
    card = abbey.channel.last_message
    forge(world, abbey, card.id, f"cancel:{job.id}")
    assert "no such training here" in private_line(await abbey.admin.click(card, label="Cancel"))
    with world.bot.database.read() as session:
        assert training_jobs.get(session, stratford.guild.id, job.id).state is JobState.QUEUED
