"""The queue: fair turns between servers, places that are true, limits that say what they counted, `/jobs`."""

import discord
import pytest

from models import JobState, guilds, training_jobs
from tests.support.bot.trainings import Trainers, jobs, labels, stored_files, trail, train, until
from tests.support.bot.world import Place, World, answer, private_line, shown


def allow(world: World, place: Place, **limits: int) -> None:
    with world.bot.database.write() as session:
        guilds.edit(session, place.guild.id, **{"trainings_a_person": 50, **limits})


def cards(place: Place) -> dict[str, str]:
    return {message.embeds[0].title: shown(message) for message in place.channel.history()}


@pytest.mark.slow
async def test_guilds_take_turns_in_the_order_that_their_cards_show(
    world: World, corpus_text: str, trainers: Trainers
):
    stratford, abbey = world.place("Stratford"), world.place("Abbey")
    allow(world, stratford)
    for number in range(1, 5):
        await train(stratford, corpus_text, name=f"S{number}")
    await until(lambda: trainers.orders)
    await train(abbey, corpus_text, name="A1")
    assert "place 1" in cards(abbey)["A1"]
    await world.env.advance_time(6)
    shown_order = {name: card for name, card in cards(stratford).items() if "Queued" in card}
    assert {name: card.split("place ")[1][0] for name, card in shown_order.items()} == {
        "S2": "2",
        "S3": "3",
        "S4": "4",
    }
    names = {job.id: job.model_name for place in (stratford, abbey) for job in jobs(world, place)}
    trainers.let_go(5)
    await until(lambda: len(trainers.orders) == 5)
    assert [names[order.directory.parent.name] for order in trainers.orders] == ["S1", "A1", "S2", "S3", "S4"]


async def test_places_and_times_are_kept_up_to_date(world: World, corpus_text: str):
    world.hold_back()
    stratford, abbey = world.place("Stratford"), world.place("Abbey")
    await train(stratford, corpus_text, name="First", minutes=10)
    await train(stratford, corpus_text, name="Second", minutes=10)
    assert "place 2 of 2" in cards(stratford)["Second"]
    first_guess = cards(stratford)["Second"]
    await train(abbey, corpus_text, name="Third", minutes=20)
    assert "place 2 of 3" in cards(abbey)["Third"]
    await world.env.advance_time(6)
    assert "place 3 of 3" in cards(stratford)["Second"]
    assert cards(stratford)["Second"].split("ready")[1] != first_guess.split("ready")[1]
    first = next(m for m in stratford.channel.history() if m.embeds[0].title == "First")
    assert "is cancelled" in private_line(await stratford.admin.click(first, label="Cancel"))
    await world.env.advance_time(6)
    assert "Cancelled" in cards(stratford)["First"]
    assert "place 1, starts next" in cards(stratford)["Second"]
    assert "place 2 of 2" in cards(abbey)["Third"]


@pytest.mark.slow
async def test_a_place_that_changed_while_the_bot_was_away_is_put_right(world: World, corpus_text: str):
    world.hold_back()
    stratford = world.place()
    await train(stratford, corpus_text, name="First")
    await train(stratford, corpus_text, name="Second")
    first, _ = jobs(world, stratford)
    world.bot.cogs["Train"].edit_cards.cancel()
    with world.bot.database.write() as session:
        training_jobs.cancel(session, stratford.guild.id, first.id)
    await world.restart()
    await world.env.advance_time(6)
    assert "Cancelled" in cards(stratford)["First"]
    assert "Queued" not in cards(stratford)["Second"] or "place 1" in cards(stratford)["Second"]


class TestLimits:
    @pytest.fixture(autouse=True)
    def nothing_starts(self, world: World) -> None:
        world.hold_back()

    @pytest.mark.slow
    async def test_of_a_server_at_a_time(self, world: World, corpus_text: str):
        stratford = world.place()
        allow(world, stratford)
        for place in range(1, 6):
            await train(stratford, corpus_text, name=f"Model {place}")
            assert f"place {place}" in shown(stratford.channel.last_message)
        line = private_line(await train(stratford, corpus_text))
        assert line == (
            "This server already has 5 trainings queued or running, and the limit is 5. "
            "Wait for one, or cancel one."
        )

    async def test_of_a_person(self, world: World, corpus_text: str):
        stratford = world.place()
        for number in (1, 2):
            await train(stratford, corpus_text, name=f"Model {number}")
        line = private_line(await train(stratford, corpus_text))
        assert line == (
            "You already have 2 trainings queued or running here, and the limit for one person is 2."
        )
        role = stratford.guild.create_role(
            "More managers", permissions=discord.Permissions(manage_guild=True)
        )
        other = stratford.guild.add_member(world.env.create_user("cleo"), roles=[role])
        assert "in the queue" in private_line(await train(stratford, corpus_text, other))

    @pytest.mark.slow
    async def test_of_a_day(self, world: World, corpus_text: str):
        stratford = world.place()
        allow(world, stratford, trainings_a_day=2)
        await train(stratford, corpus_text, name="Called off")
        await stratford.admin.click(stratford.channel.last_message, label="Cancel")
        for number in (1, 2):
            await train(stratford, corpus_text, name=f"Model {number}")
        line = private_line(await train(stratford, corpus_text))
        assert line.startswith(
            "This server had 2 trainings in the last 24 hours, and the limit is 2. "
            "The next one is possible <t:"
        )
        assert len(stored_files(world)) == 1

    async def test_of_none(self, world: World, corpus_text: str):
        stratford = world.place()
        allow(world, stratford, trainings_a_day=0)
        line = private_line(await train(stratford, corpus_text))
        assert line == "This server allows no trainings: the limit in its settings is 0."


class TestJobs:
    async def test_nothing_is_training(self, world: World):
        stratford = world.place()
        card = answer(await stratford.member.slash(stratford.channel, "jobs"))
        assert card.ephemeral
        assert "Nothing is training. Start with /train" in shown(card)
        assert labels(card.message) == ["Refresh"]

    async def test_what_runs_waits_and_ended(self, world: World, corpus_text: str, trainers: Trainers):
        stratford, abbey = world.place("Stratford"), world.place("Abbey")
        allow(world, stratford)
        for name in ("One", "Two", "Three"):
            await train(stratford, corpus_text, name=name, minutes=10)
        await train(abbey, corpus_text, name="Secret", minutes=10)
        trainers.let_go()
        await until(lambda: len(trainers.orders) == 2)
        await until(lambda: [job.fraction for job in jobs(world, abbey)] == [0.25])
        await world.env.advance_time(3)
        # One is done, the abbey's is running, Two and Three wait.
        card = answer(await stratford.member.slash(stratford.channel, "jobs"))
        text = shown(card)
        assert "Secret" not in text
        for words in ("Two", "place 1", "Three", "place 2", "starts <t:", "Ended", "✅ One"):
            assert words in text
        assert "Cancel a training" not in str(labels(card.message)), "a member has nothing to cancel"
        theirs = shown(answer(await abbey.member.slash(abbey.channel, "jobs")))
        for words in ("Secret", "25%", "ready <t:", "2.500 nats", f"requested by {abbey.admin.name}"):
            assert words in theirs
        assert "One" not in theirs

    async def test_cancel_by_who_asked_or_who_manages(self, world: World, corpus_text: str):
        world.hold_back()
        stratford = world.place()
        for name in ("One", "Two"):
            await train(stratford, corpus_text, name=name)
        one, two = jobs(world, stratford)
        card = answer(await stratford.admin.slash(stratford.channel, "jobs"))
        result = await stratford.admin.select(card.message, values=[one.id])
        assert [line.content for line in result.followups] == ["The training of **One** is cancelled."]
        assert "▫️ One · cancelled" in shown(result.response or card)
        assert [job.id for job in jobs(world, stratford)] == [two.id]
        assert trail(world, stratford)[-1].action == "training.cancelled"

    async def test_a_chosen_foreign_job_is_as_absent_as_one_that_is_not(self, world: World, corpus_text: str):
        world.hold_back()
        stratford, abbey = world.place("Stratford"), world.place("Abbey")
        for place in (stratford, abbey):
            await train(place, corpus_text)
        (theirs,) = jobs(world, abbey)
        lines = []
        for forged in (theirs.id, "0" * 32, "nonsense"):
            card = answer(await stratford.admin.slash(stratford.channel, "jobs"))
            stored = world.env.backend.get_message(stratford.channel.id, card.id)
            for row in stored.components:
                for component in row["components"]:
                    for option in component.get("options", []):
                        option["value"] = forged
            result = await stratford.admin.select(card.message, values=[forged])
            lines.append(private_line(result))
        assert lines == ["There is no such training here."] * 3
        assert jobs(world, abbey)[0].state is JobState.QUEUED
