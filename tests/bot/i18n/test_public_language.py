"""What everyone reads is in the language of the server, whatever language the person has who caused it."""

import datetime
from pathlib import Path

import pytest

from bot import i18n
from models import guilds, schedules
from tests.support.bot.schedules import MONDAY, Clock, ended, save
from tests.support.bot.trainings import Trainers, train
from tests.support.bot.world import Place, World, answer, private_line, shown


def german(text: str) -> str:
    found = i18n.translated(text, "de")
    assert found != text
    return found


@pytest.fixture
def berlin(world: World, trained_bundle: Path) -> Place:
    """A server whose language is German; everybody's client is English."""
    place = world.place("Berlin", language="de")
    world.give_model(place, trained_bundle)
    return place


async def test_the_card_of_a_training(
    world: World, trained_bundle: Path, trainers: Trainers, corpus_text: str
):
    berlin = world.place("Berlin", language="de")
    told = await train(berlin, corpus_text[:9_000])
    assert "is in the queue" in private_line(told)
    card = await world.until(berlin, german("Good to know"))
    assert "Good to know" not in shown(card)
    assert "is short" not in shown(card)
    trainers.let_go()
    card = await world.until(berlin, german("**Done**"))
    assert german("Validation loss") in shown(card)
    assert german("Try it") in [button.label for row in card.components for button in row.children]


@pytest.mark.usefixtures("clock")
async def test_a_scheduled_post_and_the_notice_that_its_schedule_is_paused(
    world: World, berlin: Place, clock: Clock
):
    schedule = await save(world, berlin, "daily 09:00", temperature=0.5)
    await clock.at(schedule.next_slot + datetime.timedelta(seconds=3))
    await world.bot.poster.tick()
    await ended(world, berlin, schedule.id)
    post = berlin.channel.last_message
    assert "Temperatur 0,5" in post.embeds[0].footer.text
    labels = [button.label for row in post.components for button in row.children]
    assert labels == [german("Stop"), german("Report")]

    with world.bot.database.write() as session:
        schedules.pause(session, berlin.guild.id, schedule.id, reason="Its channel was deleted.", notice=True)
    await clock.at(MONDAY + datetime.timedelta(days=2))
    notice = await world.until(berlin, german("A schedule is paused"))
    assert german("Its channel was deleted.") in shown(notice)


async def test_a_report(world: World, berlin: Place):
    reports = berlin.guild.create_text_channel("reports")
    with world.bot.database.write() as session:
        guilds.edit(session, berlin.guild.id, report_channel_id=reports.id)
    sample = answer(await berlin.admin.slash(berlin.channel, "generate", length=20))
    thanks = private_line(await berlin.member.click(sample.message, label="Report"))
    assert thanks.startswith("Thank you.")
    assert german("Reported text") in shown(reports.last_message)


async def test_a_chosen_language_goes_before_the_one_of_discord(
    world: World, trained_bundle: Path, trainers: Trainers, corpus_text: str
):
    york = world.place("York", language="en-GB")
    changed = answer(await york.admin.slash(york.channel, "settings edit", language="de"))
    assert "`language` as Discord says → **Deutsch**" in shown(changed)
    await train(york, corpus_text)
    trainers.let_go()
    await world.until(york, german("**Done**"))
    await york.admin.slash(york.channel, "settings reset", setting="language")
    await train(york, corpus_text, name="Next")
    trainers.let_go()
    assert "Done" in shown(await world.until(york, "Next** is", "Done"))
