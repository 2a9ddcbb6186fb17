"""Trainings whose files lie in an S3-like storage: the whole way, and while the storage is away."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.privacy import erasure
from bot.settings import Settings
from models import JobState
from tests.support.bot.processes import Pastiche
from tests.support.bot.s3 import KEY, S3, SECRET, lose_patience, s3, s3_port, stored_keys
from tests.support.bot.trainings import Trainers, files_below, finish_now, jobs, train, until
from tests.support.bot.world import Place, World, answer, private_line, shown
from textgen.corpus.shakespeare import plays

__all__ = ["s3", "s3_port"]


@pytest.fixture
def settings(tmp_path: Path, s3: S3, request: pytest.FixtureRequest) -> Settings:
    """The bot's, in a folder of its own; database and queue lie where a worker reaches them."""
    # A trainer that a test stands in for runs in the bot's process, a real one in a worker's.
    jobs_are = "here" if "trainers" in request.fixturenames else "elsewhere"
    given = s3.settings(
        tmp_path / "data",
        database_url=f"sqlite:///{tmp_path}/shared.sqlite",
        jobs_database_url=f"sqlite:///{tmp_path}/jobs.sqlite",
        jobs_poll_s=0.2,
        training_threads=1,
        jobs=jobs_are,
    )
    return Settings(**given)


def guild_files(data_dir: Path) -> list[Path]:
    return files_below(data_dir / "guilds")


def worker(settings: Settings, data_dir: Path) -> Pastiche:
    """Another host: it has the addresses, and no folder in common with the bot."""
    return Pastiche(
        data_dir,
        "worker",
        DATABASE_URL=settings.database_url,
        PASTICHE_JOBS_DATABASE_URL=settings.jobs_database_url,
        PASTICHE_STORAGE=settings.storage,
        PASTICHE_TRAINING_THREADS="1",
        AWS_ACCESS_KEY_ID=KEY,
        AWS_SECRET_ACCESS_KEY=SECRET,
    )


async def erase(place: Place) -> None:
    question = answer(await place.admin.slash(place.channel, "privacy delete", scope="server"))
    await place.admin.click(question.message, label="Delete for good")


@pytest.mark.slow
async def test_bot_and_worker_share_nothing_but_database_and_storage(
    world: World, corpus_text: str, tmp_path: Path
):
    place = world.place()
    await train(place, corpus_text, size="tiny")
    assert stored_keys(world.settings), "the text is not stored before the worker looks for it"
    with worker(world.settings, tmp_path / "worker") as other:
        card = await finish_now(world, place)
        assert other.end() == 0
    assert "Done" in shown(card)
    assert card.attachments or card.embeds[0].image.url, "the card has no picture of the losses"
    assert guild_files(tmp_path / "worker") == []
    assert guild_files(world.settings.data_dir) == []
    text = answer(await place.member.slash(place.channel, "generate", length=40))
    assert len(shown(text)) > 40
    await world.restart()
    assert len(shown(answer(await place.member.slash(place.channel, "generate", length=40)))) > 40
    await erase(place)
    assert stored_keys(world.settings) == []
    left = [path for path in files_below(world.settings.data_dir) if "cache" in path.parts]
    assert left == []


@pytest.mark.slow
async def test_another_host_goes_on_from_the_stored_checkpoint(world: World, tmp_path: Path):
    place = world.place()
    # Long enough for a training that lasts until a checkpoint is stored, on a fast machine too.
    await train(place, "\n".join(plays()), size="tiny")
    with worker(world.settings, tmp_path / "first") as first:
        await until(lambda: any(key.endswith("state.safetensors") for key in stored_keys(world.settings)))
        first.kill()
    with worker(world.settings, tmp_path / "second") as second:
        await until(lambda: "resumed=True" in second.log.read_text())
        await finish_now(world, place)
        assert second.end() == 0
    assert "checkpoint of another host fetched" in second.log.read_text()
    assert guild_files(tmp_path / "second") == []
    assert not any("checkpoint" in key for key in stored_keys(world.settings))


@pytest.mark.slow
async def test_a_model_is_stored_before_its_row_and_deleted_with_it(
    world: World, corpus_text: str, trainers: Trainers
):
    place = world.place()
    await train(place, corpus_text)
    trainers.let_go()
    await world.until(place, "Done")
    assert [key.split("/")[2] for key in stored_keys(world.settings)] == ["corpora", "models", "models"]
    assert guild_files(world.settings.data_dir) == []
    await place.admin.slash(place.channel, "train", name="Next", corpus=("x.txt", corpus_text.encode()),
                            rights=True, base="Hamlet")  # fmt: skip
    trainers.let_go()
    await world.until(place, "Next** is", "Done")
    assert trainers.orders[-1].base is not None
    await erase(place)
    assert stored_keys(world.settings) == []


@pytest.mark.slow
async def test_an_upload_is_refused_while_the_storage_is_away_and_samples_come_from_the_cache(
    world: World, corpus_text: str, trainers: Trainers, s3: S3, monkeypatch: pytest.MonkeyPatch
):
    place = world.place()
    await train(place, corpus_text)
    trainers.let_go()
    await world.until(place, "Done")
    assert len(shown(answer(await place.member.slash(place.channel, "generate", length=40)))) > 40
    lose_patience(monkeypatch, 0.3)
    s3.proxy.away = True
    refused = await place.admin.slash(
        place.channel, "train", name="Next", corpus=("x.txt", b"other words " * 900), rights=True
    )
    assert "files cannot be reached" in shown(answer(refused))
    assert jobs(world, place) == []
    assert len(shown(answer(await place.member.slash(place.channel, "generate", length=40)))) > 40
    s3.proxy.away = False
    assert guild_files(world.settings.data_dir) == []


async def test_a_finished_model_waits_for_a_storage_that_is_away(
    world: World, corpus_text: str, trainers: Trainers, s3: S3, monkeypatch: pytest.MonkeyPatch
):
    lose_patience(monkeypatch, 0.3)
    place = world.place()
    await train(place, corpus_text)
    await until(lambda: trainers.orders)
    s3.proxy.away = True
    trainers.let_go()
    await asyncio.sleep(2)
    (job,) = jobs(world, place)
    assert job.state is JobState.TRAINING
    s3.proxy.away = False
    await world.until(place, "Done")


async def test_a_deletion_while_the_storage_is_away_is_finished_later(
    world: World, corpus_text: str, trainers: Trainers, s3: S3, monkeypatch: pytest.MonkeyPatch
):
    place = world.place()
    await train(place, corpus_text)
    trainers.let_go()
    await world.until(place, "Done")
    lose_patience(monkeypatch, 0.3)
    s3.proxy.away = True
    await erase(place)
    s3.proxy.away = False
    assert stored_keys(world.settings)
    # As at the next start, and every hour.
    await asyncio.to_thread(
        erasure.carry_out_removals, world.bot.database, world.bot.storage, datetime.now(UTC)
    )
    assert stored_keys(world.settings) == []


@pytest.mark.slow
async def test_a_model_is_exported_imported_and_deleted_by_its_panel(
    world: World, corpus_text: str, trainers: Trainers
):
    place, abbey = world.place(), world.place("Abbey")
    await train(place, corpus_text)
    trainers.let_go()
    await world.until(place, "Done")
    panel = answer(await place.admin.slash(place.channel, "models", model="Hamlet"))
    sent = answer(await place.admin.click(panel.message, label="Export"))
    packed = await sent.message.attachments[0].read()
    listed = answer(await abbey.admin.slash(abbey.channel, "models"))
    form = await abbey.admin.click(listed.message, label="Import")
    given = {"name": "Guest", "bundle": ("bundle.zip", packed)}
    assert "**Guest** is imported" in private_line(await abbey.admin.submit_modal(form, given))
    assert guild_files(world.settings.data_dir) == []
    assert len(shown(answer(await abbey.member.slash(abbey.channel, "generate", length=40)))) > 40
    made = answer(await place.admin.slash(place.channel, "privacy export", scope="me"))
    assert "1 text of yours" in shown(made)
    panel = answer(await abbey.admin.slash(abbey.channel, "models", model="Guest"))
    await abbey.admin.click(panel.message, label="Delete")
    await abbey.admin.click(await panel.message.fetch(), label="Delete it")
    assert not [key for key in stored_keys(world.settings) if f"/{abbey.guild.id}/" in key]
