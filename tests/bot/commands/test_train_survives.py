"""What may happen around a training: it goes on where anybody still wants it, and ends where nobody can."""

import datetime
from pathlib import Path

import pytest

from models import JobState, TrainingJob, guilds, personal_data, text_models, training_jobs
from tests.support.bot.trainings import (
    Trainers,
    finish_now,
    jobs,
    labels,
    stored_files,
    trail,
    train,
    until,
)
from tests.support.bot.world import Place, World, private_line, shown
from tests.support.textgen.bundles import write_random_bundle


def job_of(world: World, place: Place, job_id: str) -> TrainingJob:
    with world.bot.database.read() as session:
        job = training_jobs.get(session, place.guild.id, job_id)
        assert job is not None
        return job


async def state_becomes(world: World, place: Place, job_id: str, state: JobState) -> None:
    await until(lambda: job_of(world, place, job_id).state is state)


@pytest.fixture
def waiting(world: World) -> None:
    """Nothing leaves the queue."""
    world.hold_back()


@pytest.mark.slow
async def test_a_restart_of_the_bot(world: World, corpus_text: str):
    stratford = world.place()
    await train(stratford, corpus_text, size="tiny")
    card = await world.until(stratford, "nats")
    await world.restart()
    done = await finish_now(world, stratford)
    assert done.id == card.id
    assert labels(done) == ["Try it", "Make default"]


@pytest.mark.slow
async def test_a_move_of_the_data_directory(world: World, corpus_text: str, waiting: None, tmp_path: Path):
    stratford = world.place()
    write_random_bundle(tmp_path / "bundle", "gru")
    world.give_model(stratford, tmp_path / "bundle")
    await train(stratford, corpus_text, base="Bard")
    (job,) = jobs(world, stratford)
    with world.bot.database.write() as session:
        training_jobs.cancel(session, stratford.guild.id, job.id)  # or a real training would begin
        stored = {row.bundle_path for row in text_models.listing(session, stratford.guild.id)}
        stored |= {row.path for row in personal_data.texts(session, stratford.guild.id)}
    assert len(stored) == 2
    await world.move(tmp_path / "elsewhere")
    answered = await stratford.member.slash(stratford.channel, "generate", model="Bard", length=10)
    assert answered.response.embeds
    for path in stored:
        assert world.bot.layout.located(path).is_relative_to(tmp_path / "elsewhere")
        assert world.bot.layout.located(path).exists()


@pytest.mark.slow
async def test_a_death_between_the_row_and_its_turn(world: World, corpus_text: str, trainers: Trainers):
    stratford = world.place()
    world.hold_back()
    for name in ("First", "Second"):
        await train(stratford, corpus_text, name=name)
    await world.restart()
    trainers.let_go(2)
    await world.until(stratford, "Done")
    await world.env.advance_time(3)
    assert all("Done" in shown(message) for message in stratford.channel.history())


@pytest.mark.slow
async def test_a_death_after_its_workflow_was_lost(world: World, corpus_text: str, trainers: Trainers):
    stratford = world.place()
    world.hold_back()
    await train(stratford, corpus_text)
    (job,) = jobs(world, stratford)
    with world.bot.database.write() as session:
        training_jobs.start(session, stratford.guild.id, job.id, "gone")
    await world.restart()
    trainers.let_go()
    assert "Done" in shown(await world.until(stratford, "Done", "Failed"))


async def test_the_deletion_of_its_card(world: World, corpus_text: str, waiting: None):
    stratford = world.place()
    await train(stratford, corpus_text)
    card = stratford.channel.last_message
    (job,) = jobs(world, stratford)
    world.env.backend.delete_message(stratford.channel.id, card.id)
    await world.env.settle()
    with world.bot.database.write() as session:
        training_jobs.start(session, stratford.guild.id, job.id)
    new = await world.until(stratford, "Training")
    assert new.id != card.id
    with world.bot.database.write() as session:
        training_jobs.progress(session, stratford.guild.id, job.id, attempt=1, fraction=0.5, loss=2.0)
    assert (await world.until(stratford, "50%")).id == new.id


async def test_the_deletion_of_its_channel(world: World, corpus_text: str, trainers: Trainers):
    stratford = world.place()
    await train(stratford, corpus_text)
    await world.until(stratford, "Training")
    (job,) = jobs(world, stratford)
    world.env.backend.delete_channel(stratford.channel.id)
    await world.env.settle()
    await world.env.advance_time(10)
    trainers.let_go()
    await state_becomes(world, stratford, job.id, JobState.DONE)
    await world.env.advance_time(10)
    other = stratford.guild.create_text_channel("another")
    answered = await stratford.member.slash(other, "generate", model="Hamlet", length=10)
    assert answered.response.embeds, "the model is there"
    tried = [request for request in world.env.http_requests if request.method in {"PATCH", "POST"}]
    late = [request for request in tried if f"/channels/{stratford.channel.id}/" in request.path]
    assert len(late) < 10, "a channel that is gone is not asked for again and again"


async def test_a_requester_who_loses_the_role_and_leaves(world: World, corpus_text: str, trainers: Trainers):
    stratford = world.place()
    role = stratford.guild.create_role("Trainers")
    tina = stratford.guild.add_member(world.env.create_user("tina"), roles=[role])
    command = next(c for c in await world.bot.tree.fetch_commands() if c.name == "train")
    stratford.guild.set_command_permissions(command.id, {stratford.guild.default_role: True})
    with world.bot.database.write() as session:
        guilds.edit(session, stratford.guild.id, trainer_role_id=role.id)
    await train(stratford, corpus_text, tina)
    await world.until(stratford, "Training")
    world.env.backend.remove_member(stratford.guild.id, tina.id)
    await world.env.settle()
    trainers.let_go()
    done = await world.until(stratford, "Done", "Failed", "Cancelled")
    assert "Done" in shown(done), "the model is the server's; who manages it can cancel"


@pytest.mark.slow
async def test_the_bot_leaving_the_server(world: World, corpus_text: str, trainers: Trainers):
    stratford, abbey = world.place("Stratford"), world.place("Abbey")
    for name in ("Running", "Waiting"):
        await train(stratford, corpus_text, name=name)
    await train(abbey, corpus_text)
    await world.until(abbey, "place 1")
    running, waits = jobs(world, stratford)
    world.bot.dispatch("guild_remove", world.bot.get_guild(stratford.guild.id))  # SimCord never does
    await world.env.settle()
    for job in (running, waits):
        await state_becomes(world, stratford, job.id, JobState.CANCELLED)
    await until(lambda: len(trainers.orders) == 2)
    trainers.let_go()
    assert "Done" in shown(await world.until(abbey, "Done"))
    left = {path.name for path in stored_files(world) if str(stratford.guild.id) in str(path)}
    assert all(name.endswith(".txt") and name != "input.txt" for name in left), left
    last = trail(world, stratford)[-1]
    assert (last.action, last.actor_id) == ("training.cancelled", 0)


async def test_the_bot_having_left_while_it_was_away(world: World, corpus_text: str, waiting: None):
    stratford = world.place()
    await train(stratford, corpus_text)
    (job,) = jobs(world, stratford)
    world.bot._connection._remove_guild(world.bot.get_guild(stratford.guild.id))
    world.env.inject_error("GET", "/guilds/*", status=404, code=10004, times=9)
    world.bot.dispatch("ready")
    await world.env.settle()
    await state_becomes(world, stratford, job.id, JobState.CANCELLED)


@pytest.mark.slow
async def test_more_than_fifteen_minutes(world: World, corpus_text: str, trainers: Trainers):
    stratford = world.place()
    await train(stratford, corpus_text)
    card = stratford.channel.last_message
    answered = len(world.env.http_requests)
    for _ in range(20):
        await world.env.advance_time(60)
    trainers.let_go()
    done = await world.until(stratford, "Done")
    assert done.id == card.id
    later = [request.path for request in world.env.http_requests[answered:]]
    assert later
    assert not [path for path in later if "/webhooks/" in path or "/interactions/" in path]


async def test_an_outage_of_discord(world: World, corpus_text: str, waiting: None):
    stratford = world.place()
    await train(stratford, corpus_text)
    card = stratford.channel.last_message
    (job,) = jobs(world, stratford)
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=503, times=3)
    with world.bot.database.write() as session:
        training_jobs.fail(session, stratford.guild.id, job.id, attempt=0, error="no luck")
    assert (await world.until(stratford, "No luck")).id == card.id


async def test_a_card_that_was_never_sent(world: World, corpus_text: str, waiting: None):
    stratford = world.place()
    world.env.inject_error("POST", "/channels/*/messages", status=503, times=2)
    private_line(await train(stratford, corpus_text))
    assert stratford.channel.last_message is None
    (job,) = jobs(world, stratford)
    with world.bot.database.write() as session:
        old = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=1)
        training_jobs.get(session, stratford.guild.id, job.id).created_at = old
    assert "Queued" in shown(await world.until(stratford, "Queued"))


async def test_a_model_of_the_same_name_is_replaced_only_by_a_finished_one(
    world: World, corpus_text: str, trained_bundle: Path, trainers: Trainers
):
    stratford = world.place()
    world.give_model(stratford, trained_bundle, "Hamlet")
    await train(stratford, corpus_text)
    await world.until(stratford, "Training")
    await stratford.admin.click(stratford.channel.last_message, label="Cancel")
    await world.until(stratford, "Cancelled")
    answered = await stratford.member.slash(stratford.channel, "generate", model="Hamlet", length=10)
    assert answered.response.embeds
