import asyncio
from pathlib import Path

import psutil
import pytest

from bot.jobs import workflows
from bot.jobs.trainer import TrainingEnd
from models import JobState, guilds, training_jobs
from tests import hard_inputs
from tests.bot.world import Place, World, answer, private_line, shown


async def train(place: Place, text: str | bytes, actor=None, **options):
    data = text.encode() if isinstance(text, str) else text
    wish = {"name": "Hamlet", "corpus": ("hamlet.txt", data), "rights": True, "minutes": 0.25} | options
    return await (actor or place.admin).slash(place.channel, "train", **wish)


def jobs(world: World, place: Place) -> list:
    with world.bot.database.read() as session:
        return list(training_jobs.listing(session, place.guild.id))


def stored_files(world: World) -> list[Path]:
    return [path for path in world.settings.data_dir.rglob("guilds/**/*") if path.is_file()]


async def test_a_text_goes_in_and_its_style_comes_out(world: World, corpus_text: str):
    stratford = world.place()
    line = private_line(await train(stratford, corpus_text))
    assert line == "**Hamlet** is in the queue. Its card is in this channel."
    card = stratford.channel.last_message
    assert "Queued" in shown(card)
    assert "place 1" in shown(card)
    assert [button.label for row in card.components for button in row.children] == ["Cancel"]

    training = await world.until(stratford, "Training")
    assert training.id == card.id
    training = await world.until(stratford, "What it writes so far")
    assert "%" in shown(training)
    assert "nats" in shown(training)
    done = await world.until(stratford, "Done", "Failed")
    assert done.id == card.id
    assert "Done" in shown(done)
    assert not done.components

    sample = answer(await stratford.member.slash(stratford.channel, "generate", model="hamlet", length=80))
    assert sample.embeds[0].footer.text.startswith("Hamlet · temperature 0.7")
    models = shown(answer(await stratford.member.slash(stratford.channel, "models")))
    for figure in ("Hamlet", "nats", "parameters", "characters", f"by {stratford.admin.name}"):
        assert figure in models


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


async def test_an_exported_chat_log_is_refused_with_the_reason(world: World):
    stratford = world.place()
    line = private_line(await train(stratford, hard_inputs.CHAT_LOG))
    assert "This looks like" in line
    assert "Discord forbids training on them" in line
    assert stored_files(world) == []


@pytest.mark.parametrize("name", hard_inputs.READABLE)
async def test_any_unicode_text_is_read(world: World, name: str):
    world.bot.queue.enqueue = lambda job: None
    stratford = world.place()
    private_line(await train(stratford, hard_inputs.READABLE[name]))
    (path,) = stored_files(world)
    assert (
        path.read_text(encoding="utf-8") == hard_inputs.READABLE_TEXT or name == "a stray control character"
    )
    (job,) = jobs(world, stratford)
    assert job.state is JobState.QUEUED


REFUSALS = [
    pytest.param({"rights": False}, "may use this text", id="no rights"),
    pytest.param({"minutes": 600.0}, "up to 60 are possible", id="too many minutes"),
    pytest.param({"name": "a\u202eb"}, "invisible character", id="a name with a direction override"),
    pytest.param({"corpus": ("big.txt", b"a b " * 3_000_000)}, "up to 10.0 MiB", id="a file over the limit"),
]


@pytest.mark.parametrize(("options", "says"), REFUSALS)
async def test_what_cannot_be_trained_is_refused_in_one_private_line(
    world: World, corpus_text: str, options: dict, says: str
):
    stratford = world.place()
    assert says in private_line(await train(stratford, corpus_text, **options))
    assert jobs(world, stratford) == []
    assert stored_files(world) == []


async def test_who_may_train_is_checked_even_where_the_command_is_shown(world: World, corpus_text: str):
    stratford = world.place()
    world.bot.queue.enqueue = lambda job: None
    trainers = stratford.guild.create_role("Trainers")
    trainer = stratford.guild.add_member(world.env.create_user("tina"), roles=[trainers])
    # An admin of the server shows /train to everyone.
    command = next(c for c in await world.bot.tree.fetch_commands() if c.name == "train")
    stratford.guild.set_command_permissions(command.id, {stratford.guild.default_role: True})
    refusal = "Training takes the permission Manage Server."
    assert private_line(await train(stratford, corpus_text, stratford.member)) == refusal
    assert private_line(await train(stratford, corpus_text, trainer)) == refusal
    with world.bot.database.write() as session:
        guilds.edit(session, stratford.guild.id, trainer_role_id=trainers.id)
    assert "or the role" in private_line(await train(stratford, corpus_text, stratford.member))
    assert "in the queue" in private_line(await train(stratford, corpus_text, trainer))


async def test_a_guild_can_queue_only_so_many(world: World, corpus_text: str):
    stratford = world.place()
    world.bot.queue.enqueue = lambda job: None
    for place in range(1, 6):
        await train(stratford, corpus_text, name=f"Model {place}")
        assert f"place {place}" in shown(stratford.channel.last_message)
    assert "already has 5 trainings" in private_line(await train(stratford, corpus_text))


async def test_cancel_is_for_who_asked_or_manages_and_moves_the_others_up(world: World, corpus_text: str):
    stratford = world.place()
    world.bot.queue.enqueue = lambda job: None
    await train(stratford, corpus_text, name="First")
    first = stratford.channel.last_message
    await train(stratford, corpus_text, name="Second")
    assert "place 2" in shown(stratford.channel.last_message)
    assert "can cancel it" in private_line(await stratford.member.click(first, label="Cancel"))
    assert "is cancelled" in private_line(await stratford.admin.click(first, label="Cancel"))
    await world.env.advance_time(4)
    cards = [shown(message) for message in stratford.channel.history()]
    assert any("First" in card and "Cancelled" in card for card in cards)
    assert any("Second" in card and "place 1" in card for card in cards)


async def test_a_running_training_is_cancelled_and_leaves_nothing_behind(world: World, corpus_text: str):
    stratford = world.place()
    await train(stratford, corpus_text, minutes=5)
    await world.until(stratford, "Loss")
    await stratford.admin.click(stratford.channel.last_message, label="Cancel")
    card = await world.until(stratford, "Cancelled")
    assert not card.components
    for _ in range(100):
        left = [path.name for path in stored_files(world)]
        if len(left) == 1:
            break
        await asyncio.sleep(0.2)
    assert len(left) == 1, left
    assert left[0].endswith(".txt")
    assert "no model here yet" in private_line(await stratford.member.slash(stratford.channel, "models"))


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
    card = await world.until(stratford, "Failed", timeout_s=20)
    assert "the disk is full" in shown(card)
    assert sorted(path for path in stored_files(world) if path.suffix != ".txt") == before
    assert not answer(await stratford.member.slash(stratford.channel, "generate", length=10)).ephemeral


async def test_a_trainer_that_dies_is_a_failure_with_a_reason(world: World, corpus_text: str):
    stratford = world.place()
    await train(stratford, corpus_text, minutes=5)
    await world.until(stratford, "Training")
    for child in psutil.Process().children(recursive=True):
        if "train" in child.cmdline():
            child.kill()
    card = await world.until(stratford, "Failed")
    assert "SIGKILL" in shown(card)


class TestCard:
    async def test_a_deleted_card_is_replaced_by_a_new_message(self, world: World, corpus_text: str):
        stratford = world.place()
        world.bot.queue.enqueue = lambda job: None
        await train(stratford, corpus_text)
        card = stratford.channel.last_message
        (job,) = jobs(world, stratford)
        world.env.backend.delete_message(stratford.channel.id, card.id)
        await world.env.settle()
        with world.bot.database.write() as session:
            training_jobs.start(session, stratford.guild.id, job.id)
        new = await world.until(stratford, "Training", timeout_s=5)
        assert new.id != card.id
        with world.bot.database.write() as session:
            training_jobs.progress(session, stratford.guild.id, job.id, fraction=0.5)
        assert (await world.until(stratford, "50%", timeout_s=5)).id == new.id

    async def test_an_outage_of_discord_is_waited_out(self, world: World, corpus_text: str):
        stratford = world.place()
        world.bot.queue.enqueue = lambda job: None
        await train(stratford, corpus_text)
        card = stratford.channel.last_message
        (job,) = jobs(world, stratford)
        world.env.inject_error("PATCH", "/channels/*/messages/*", status=503, times=3)
        with world.bot.database.write() as session:
            training_jobs.fail(session, stratford.guild.id, job.id, error="no luck")
        assert (await world.until(stratford, "no luck", timeout_s=10)).id == card.id

    async def test_a_card_is_kept_up_after_a_restart(self, world: World, corpus_text: str):
        stratford = world.place()
        await train(stratford, corpus_text, minutes=0.25)
        card = await world.until(stratford, "Loss")
        await world.restart()
        done = await world.until(stratford, "Done", "Failed")
        assert "Done" in shown(done)
        assert done.id == card.id

    async def test_a_job_whose_workflow_was_never_enqueued_runs_after_a_restart(
        self, world: World, corpus_text: str
    ):
        stratford = world.place()
        world.bot.queue.enqueue = lambda job: None  # the bot dies between the row and the workflow
        await train(stratford, corpus_text, minutes=0.2)
        await world.restart()
        assert "Done" in shown(await world.until(stratford, "Done", "Failed"))
