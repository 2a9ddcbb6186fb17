"""`/train`: what is asked for, what is refused, and the card from its first line to its buttons."""

import asyncio
import datetime
import shutil
from pathlib import Path

import pytest

from bot.training.jobs import workflows
from bot.training.trainer import process as trainer
from bot.training.trainer.process import TrainingEnd
from models import Corpus, JobState, guilds, text_models, training_jobs
from tests.support.bot.trainings import (
    LONG,
    finish_now,
    jobs,
    labels,
    stored_files,
    trail,
    train,
    training_processes,
    until,
)
from tests.support.bot.world import World, answer, private_line, shown
from tests.support.textgen.bundles import SYMBOLS, write_random_bundle
from tests.support.texts import hard_inputs


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.slow
async def test_a_text_goes_in_and_its_style_comes_out(world: World, corpus_text: str):
    stratford = world.place()
    # Long enough not to be learnt before it is ended.
    line = private_line(await train(stratford, corpus_text * 10))
    assert line == "**Hamlet** is in the queue. You can follow it on its card in this channel."
    card = stratford.channel.last_message
    for words in (
        "Queued",
        "place 1",
        "Starts at about",
        "hamlet.txt",
        "600,000 characters",
        "Learns characters",
    ):
        assert words in shown(card)
    assert labels(card) == ["Cancel"]

    training = await world.until(stratford, "Training")
    assert training.id == card.id
    training = await world.until(stratford, "What it writes at")
    training = await world.until(stratford, "Time left")
    for words in ("%", "Validation loss", "nats", "What it writes at", "600,000 characters"):
        assert words in shown(training)
    assert labels(training) == ["Finish now", "Cancel"]
    done = await finish_now(world, stratford)
    assert done.id == card.id
    for words in ("Done** · finished early", "nats", "bits", "Parameters", "Took", "What it writes now"):
        assert words in shown(done)
    assert labels(done) == ["Try it", "Make default"]
    (picture,) = done.attachments
    assert picture.filename == "loss.png"
    assert (await picture.read()).startswith(b"\x89PNG")
    assert done.embeds[0].image.url

    tried = answer(await stratford.member.click(done, label="Try it"))
    assert tried.embeds[0].footer.text.startswith("Hamlet · temperature 0.7")
    sample = answer(await stratford.member.slash(stratford.channel, "generate", model="hamlet", length=80))
    assert sample.embeds[0].footer.text.startswith("Hamlet · temperature 0.7")
    models = shown(answer(await stratford.member.slash(stratford.channel, "models")))
    for figure in ("Hamlet", "nats", "parameters", "characters", f"by {stratford.admin.name}"):
        assert figure in models
    assert [event.action for event in trail(world, stratford)] == [
        "training.queued",
        "training.finished_early",
    ]


async def test_each_choice_reaches_the_trainer(
    world: World, corpus_text: str, trainers, trained_bundle: Path
):
    stratford = world.place()
    held_out = ("held-out.txt", corpus_text[:3000].encode())
    await train(stratford, corpus_text, level="word", size="medium", minutes=7, validation=held_out)
    card = shown(stratford.channel.last_message)
    for words in ("Learns words · size medium · measured on a separate text", "up to 7 min"):
        assert words in card
    await world.until(stratford, "Training")
    (order,) = trainers.orders
    asked = " ".join(order.arguments())
    assert "--level word --pristine-input --preset medium" in asked
    assert "--time-limit 420" in asked
    assert (order.directory / "validate.txt").read_text() == corpus_text[:3000]
    trainers.let_go()
    await world.until(stratford, "Done")

    await train(stratford, corpus_text)
    await world.until(stratford, "Training")
    asked = " ".join(trainers.orders[-1].arguments())
    assert "--preset" not in asked, "the trainer chooses the size"
    assert "--level char" in asked


class TestGoingOn:
    async def test_from_a_model_that_is_deleted_while_the_job_waits(
        self, world: World, corpus_text: str, trainers, trained_bundle: Path
    ):
        stratford = world.place()
        content = contents(trained_bundle)
        base_id = world.give_model(stratford, trained_bundle, "Bard")
        assert await stratford.admin.autocomplete(stratford.channel, "train", "base", "b") == [
            {"name": "Bard", "value": "Bard"}
        ]
        enqueue = world.bot.queue.enqueue
        world.hold_back()
        await train(stratford, corpus_text, base="bard")
        assert "starts from Bard" in shown(stratford.channel.last_message)
        (job,) = jobs(world, stratford)
        with world.bot.database.write() as session:
            base = text_models.get(session, stratford.guild.id, base_id)
            training_jobs.get(session, stratford.guild.id, job.id).base_model_id = None
            session.flush()
            session.delete(base)
        await asyncio.to_thread(shutil.rmtree, world.bot.layout.located(base.bundle_path))
        enqueue(job)
        await world.until(stratford, "Training")
        (order,) = trainers.orders
        assert "--base" in order.arguments()
        assert "--level" not in order.arguments()
        assert contents(order.base) == content
        trainers.let_go()
        await world.until(stratford, "Done")
        assert not order.base.exists()

    @pytest.mark.slow
    async def test_learns_on_for_real(self, world: World, corpus_text: str, tmp_path: Path):
        stratford = world.place()
        write_random_bundle(tmp_path / "bundle", "lstm")  # which XLA does not compile for many seconds
        world.give_model(stratford, tmp_path / "bundle", "Bard")
        known = "".join(symbol for symbol in corpus_text if symbol in SYMBOLS)
        await train(stratford, known, base="Bard")
        done = await finish_now(world, stratford)
        assert "Hamlet" in shown(done)
        with world.bot.database.read() as session:
            hamlet = text_models.by_name(session, stratford.guild.id, "Hamlet")
            bard = text_models.by_name(session, stratford.guild.id, "Bard")
        assert hamlet.parameters == bard.parameters

    async def test_keeps_level_and_size(self, world: World, corpus_text: str, trained_bundle: Path):
        stratford = world.place()
        world.give_model(stratford, trained_bundle, "Bard")
        line = private_line(await train(stratford, corpus_text, base="Bard", size="large"))
        assert line == "A model trained from `base` keeps the size of its base: leave `size` out."
        line = private_line(await train(stratford, corpus_text, base="Bard", level="word"))
        assert (
            line == "A model trained from `base` keeps the level of its base, here `char`: leave `level` out."
        )
        assert jobs(world, stratford) == []

    async def test_a_lost_copy_is_a_clear_failure(
        self, world: World, corpus_text: str, trained_bundle: Path, trainers
    ):
        stratford = world.place()
        world.give_model(stratford, trained_bundle, "Bard")
        enqueue = world.bot.queue.enqueue
        world.hold_back()
        await train(stratford, corpus_text, base="Bard")
        (job,) = jobs(world, stratford)
        for file in world.bot.layout.training(stratford.guild.id, job.id).rglob("*.*"):
            file.unlink()
        world.bot.layout.training(stratford.guild.id, job.id).joinpath("base").rmdir()
        enqueue(job)
        card = await world.until(stratford, "Failed")
        assert "The copy of the model that it was to go on from is gone" in shown(card)


@pytest.mark.parametrize("bad", hard_inputs.REFUSED, ids=lambda bad: bad.name)
async def test_a_corpus_that_cannot_be_learned_is_refused_in_one_private_line(
    world: World, bad: hard_inputs.HardInput
):
    stratford = world.place()
    line = private_line(await train(stratford, bad.data))
    for words in bad.says:
        assert words in line.replace("\\", "")
    assert jobs(world, stratford) == []
    assert stored_files(world) == []


async def test_an_exported_chat_log_is_refused_with_the_reason(world: World, corpus_text: str):
    stratford = world.place()
    for texts in ({"text": hard_inputs.CHAT_LOG}, {"text": corpus_text, "validation": hard_inputs.CHAT_LOG}):
        validation = texts.get("validation")
        options = {} if validation is None else {"validation": ("v.txt", validation)}
        line = private_line(await train(stratford, texts["text"], **options))
        assert "This looks like" in line
        assert "Discord forbids training on them" in line
        assert stored_files(world) == []


async def test_a_validation_text_that_is_too_short_leaves_nothing_behind(world: World, corpus_text: str):
    stratford = world.place()
    line = private_line(await train(stratford, corpus_text, validation=("v.txt", b"too short")))
    assert line == "The validation text has 9 characters; at least 100 are needed."
    assert stored_files(world) == []
    world.hold_back()
    await train(stratford, corpus_text)
    private_line(await train(stratford, corpus_text, name="Again", validation=("v.txt", b"too short")))
    assert len(stored_files(world)) == 1, "what the first upload stored is still needed"


@pytest.mark.parametrize("name", hard_inputs.READABLE)
@pytest.mark.slow
async def test_any_unicode_text_is_read(world: World, name: str):
    world.hold_back()
    stratford = world.place()
    private_line(await train(stratford, hard_inputs.READABLE[name]))
    (path,) = stored_files(world)
    assert (
        path.read_text(encoding="utf-8") == hard_inputs.READABLE_TEXT or name == "a stray control character"
    )
    (job,) = jobs(world, stratford)
    assert job.state is JobState.QUEUED


async def test_warnings_about_the_text_stand_on_the_card_before_it_begins(world: World, corpus_text: str):
    world.hold_back()
    stratford = world.place()
    text = f"{corpus_text[:5000]}\nada@example.com\nben@example.com\n" + "Words, words, words.\n" * 400
    await train(stratford, text, level="word")
    card = shown(stratford.channel.last_message)
    for words in ("Good to know", "2 × e-mail address", "short for this level", "repeat earlier lines"):
        assert words in card
    assert "ada@example.com" not in card
    await train(stratford, corpus_text, name="Clean")
    assert "Good to know" not in shown(stratford.channel.last_message)


REFUSALS = [
    pytest.param({"rights": False}, "may use this text", id="no rights"),
    pytest.param({"minutes": 600.0}, "a training can take up to 60", id="too many minutes"),
    pytest.param({"name": "a\u202eb"}, "invisible character", id="a name with a direction override"),
    pytest.param({"corpus": ("big.txt", b"a b " * 3_000_000)}, "up to 10.0 MiB", id="a file over the limit"),
    pytest.param({"base": "Nobody"}, "There is no model named “Nobody” here.", id="no such base"),
]


@pytest.mark.parametrize(("options", "says"), REFUSALS)
async def test_a_request_that_cannot_be_trained_is_refused_in_one_private_line(
    world: World, corpus_text: str, options: dict, says: str
):
    stratford = world.place()
    assert says in private_line(await train(stratford, corpus_text, **options))
    assert jobs(world, stratford) == []
    assert stored_files(world) == []


async def test_who_may_train_is_checked_even_where_the_command_is_shown(world: World, corpus_text: str):
    stratford = world.place()
    world.hold_back()
    trainers = stratford.guild.create_role("Trainers")
    trainer = stratford.guild.add_member(world.env.create_user("tina"), roles=[trainers])
    # An admin of the server shows /train to everyone.
    command = next(c for c in await world.bot.tree.fetch_commands() if c.name == "train")
    stratford.guild.set_command_permissions(command.id, {stratford.guild.default_role: True})
    refusal = "You need the permission Manage Server to train or change models."
    assert private_line(await train(stratford, corpus_text, stratford.member)) == refusal
    assert private_line(await train(stratford, corpus_text, trainer)) == refusal
    with world.bot.database.write() as session:
        guilds.edit(session, stratford.guild.id, trainer_role_id=trainers.id)
    assert "or the role" in private_line(await train(stratford, corpus_text, stratford.member))
    assert "in the queue" in private_line(await train(stratford, corpus_text, trainer))


async def test_a_model_is_made_default_by_who_may_train(world: World, corpus_text: str, trainers):
    stratford = world.place()
    trainers.let_go()
    await train(stratford, corpus_text)
    done = await world.until(stratford, "Done")
    assert "Manage Server" in private_line(await stratford.member.click(done, label="Make default"))
    line = private_line(await stratford.admin.click(done, label="Make default"))
    assert line == "**Hamlet** is this server's default model now."
    assert "default" in shown(answer(await stratford.member.slash(stratford.channel, "models")))
    assert trail(world, stratford)[-1].action == "model.made_default"


@pytest.mark.slow
async def test_a_running_training_is_cancelled_and_leaves_nothing_behind(world: World, corpus_text: str):
    stratford = world.place()
    await train(stratford, corpus_text)
    card = await world.until(stratford, "nats")
    assert "can end it" in private_line(await stratford.member.click(card, label="Cancel"))
    await stratford.admin.click(card, label="Cancel")
    card = await world.until(stratford, "Cancelled")
    assert not card.components
    assert not card.attachments
    await until(lambda: [path.suffix for path in stored_files(world)] == [".txt"])
    assert "no model here yet" in private_line(await stratford.member.slash(stratford.channel, "models"))
    assert trail(world, stratford)[-1].action == "training.cancelled"


async def test_a_training_that_hears_nothing_is_cancelled_at_once(
    world: World, corpus_text: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trainer, "GRACE_S", 3600.0)
    stratford = world.place()
    await train(stratford, corpus_text)
    await world.until(stratford, "Training")
    await until(training_processes)
    stopped = training_processes()
    try:
        for process in stopped:
            process.suspend()  # as deaf as one that compiles
        await stratford.admin.click(stratford.channel.last_message, label="Cancel")
        await until(lambda: [path.suffix for path in stored_files(world)] == [".txt"])
        assert not training_processes()
    finally:
        for process in stopped:
            if process.is_running():
                process.kill()


async def test_a_failed_training_says_why_and_leaves_the_other_models_alone(
    world: World, corpus_text: str, trained_bundle: Path, monkeypatch: pytest.MonkeyPatch
):
    stratford = world.place()
    world.give_model(stratford, trained_bundle, "Hamlet")
    before = sorted(stored_files(world))

    def run_out_of_disk(order, **_):
        order.bundle.mkdir()
        (order.bundle / "weights.safetensors").write_bytes(b"half")
        return TrainingEnd(error="the disk is full")

    monkeypatch.setattr(workflows, "run_trainer", run_out_of_disk)
    await train(stratford, corpus_text)
    card = await world.until(stratford, "Failed")
    assert "The disk is full" in shown(card)
    assert not card.components
    assert sorted(path for path in stored_files(world) if path.suffix != ".txt") == before
    assert not answer(await stratford.member.slash(stratford.channel, "generate", length=10)).ephemeral


@pytest.mark.slow
async def test_in_the_shortest_time_the_counted_n_grams_are_the_model(world: World, corpus_text: str):
    stratford = world.place()
    await train(stratford, corpus_text, minutes=0.05)
    card = await world.until(stratford, "Done", "Failed")
    assert "Done" in shown(card)
    tried = answer(await stratford.member.click(card, label="Try it"))
    assert len(shown(tried)) > 100


async def test_a_trainer_that_dies_is_a_failure_with_a_reason(world: World, corpus_text: str):
    stratford = world.place()
    await train(stratford, corpus_text)
    await world.until(stratford, "Training")
    # The kernel, too, kills a trainer that the memory is too small for: it is tried again in smaller batches.
    killed: set[int] = set()
    for _ in range(2):
        await until(lambda: any(child.pid not in killed for child in training_processes()))
        for child in training_processes():
            killed.add(child.pid)
            child.kill()
    card = await world.until(stratford, "Failed")
    assert "even in batches of half the size" in shown(card)
    await until(lambda: [path.suffix for path in stored_files(world)] == [".txt"])


async def test_a_deleted_text_is_a_clear_failure(world: World, corpus_text: str, trainers):
    stratford = world.place()
    enqueue = world.bot.queue.enqueue
    world.hold_back()
    await train(stratford, corpus_text)
    (job,) = jobs(world, stratford)
    with world.bot.database.write() as session:
        session.get(Corpus, job.corpus_id).text_deleted_at = datetime.datetime.now(datetime.UTC)
    enqueue(job)
    card = await world.until(stratford, "Failed")
    assert "Its text has been deleted in the meantime" in shown(card)
    assert trainers.orders == []
    assert job.minutes == LONG
