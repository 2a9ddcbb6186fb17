"""What a server may store, and what of the host's disk stays free."""

import shutil
from pathlib import Path
from typing import Any

import pytest

import migrations
from bot.infra.paths import Layout
from bot.settings import Settings
from bot.training import quotas
from models import Corpus, Database, TextModel, text_models, utc_now
from models.shards import ServedShards
from models.training import usage
from tests.support.bot.trainings import jobs, stored_files, train
from tests.support.bot.world import Place, World, answer, private_line, shown
from tests.support.rows import new_corpus, new_job, new_model

TEXT = "To be, or not to be, that is the question.\n" * 60
HERE, ELSEWHERE = 1, 2


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_models_per_guild": 2, "max_bytes_per_guild": 2**20})


def stored(world: World, place: Place, *, size: int) -> None:
    """Let the server have a model of that many bytes more."""
    with world.bot.database.write() as session:
        new_model(session, place.guild.id, name="Large", size=size)


async def bring(place: Place, data: bytes, name: str = "Guest") -> Any:
    listed = answer(await place.admin.slash(place.channel, "models"))
    form = await place.admin.click(listed.message, label="Import")
    return await place.admin.submit_modal(form, {"name": name, "bundle": ("bundle.zip", data)})


async def test_the_list_and_the_settings_tell_what_is_used(world: World, stratford: Place):
    with world.bot.database.read() as session:
        used = usage.of_guild(session, stratford.guild.id)
    assert used.models == 1
    assert used.size == sum(path.stat().st_size for path in stored_files(world))
    size = f"{used.size / 2**10:,.1f} KiB of 1.0 MiB"
    listed = shown(answer(await stratford.member.slash(stratford.channel, "models")))
    assert f"1 of 2 models · {size}" in listed
    settings = shown(answer(await stratford.admin.slash(stratford.channel, "settings show")))
    assert f"Stored\n1 of 2 models · {size}" in settings


async def test_no_more_models_than_allowed_but_one_can_be_replaced(world: World, stratford: Place):
    with world.bot.database.write() as session:
        new_job(session, stratford.guild.id, model_name="Being trained")
    line = private_line(await train(stratford, TEXT, name="One more"))
    assert line == (
        "This server may have 2 models, and has them, or trains them now. "
        "Delete one in /models first, or use the name of one to replace it."
    )
    assert "may have 2 models" in private_line(await bring(stratford, b"x", "One more"))
    assert len(jobs(world, stratford)) == 1
    await train(stratford, TEXT, name="BARD")
    assert [job.model_name for job in jobs(world, stratford)][1:] == ["BARD"]


async def test_no_more_bytes_than_allowed(world: World, stratford: Place):
    stored(world, stratford, size=2**20 - 1000)
    with world.bot.database.read() as session:
        used = usage.of_guild(session, stratford.guild.id).size
    assert private_line(await train(stratford, TEXT, name="Bard")) == (
        f"The texts and models of this server take {used / 2**20:.1f} MiB of 1.0 MiB, and this would add "
        f"{len(TEXT) / 2**10:.1f} KiB. Delete a model in /models, or let texts expire: "
        "/settings edit keep_corpora_days."
    )
    assert jobs(world, stratford) == []
    assert not [path for path in stored_files(world) if path.suffix == ".txt"]


@pytest.mark.slow
async def test_another_servers_models_take_no_room_here(world: World, stratford: Place, abbey: Place):
    stored(world, stratford, size=2**20)
    await train(abbey, TEXT, name="Prior")
    assert len(jobs(world, abbey)) == 1


@pytest.mark.slow
async def test_the_hosts_disk_keeps_free_room(
    world: World, stratford: Place, monkeypatch: pytest.MonkeyPatch
):
    left = shutil.disk_usage(world.settings.data_dir)._replace(free=600 * 2**20)
    monkeypatch.setattr(quotas.shutil, "disk_usage", lambda _path: left)
    await train(stratford, TEXT, name="Bard")
    assert len(jobs(world, stratford)) == 1
    monkeypatch.setattr(quotas.shutil, "disk_usage", lambda _path: left._replace(free=512 * 2**20))
    for refused in (await train(stratford, TEXT, name="Bard"), await bring(stratford, b"x")):
        assert private_line(refused) == (
            "The host of this bot keeps 512.0 MiB of its disk free, and only 512.0 MiB are left. Tell the "
            "person who hosts it, or delete models that you do not need in /models, and try again."
        )
    assert len(jobs(world, stratford)) == 1


@pytest.fixture
def database(tmp_path: Path) -> Database:
    url = f"sqlite:///{tmp_path}/pastiche.sqlite"
    migrations.upgrade(url)
    return Database(url)


def test_a_text_that_was_uploaded_twice_is_counted_once_and_a_deleted_one_not(database: Database):
    with database.write() as session:
        for _ in range(2):
            new_corpus(session, HERE, sha256="a" * 64, size=1000)
        new_corpus(session, HERE, sha256="b" * 64, size=20)
        new_corpus(session, HERE, sha256="c" * 64, size=3).text_deleted_at = utc_now()
        new_corpus(session, ELSEWHERE, sha256="d" * 64, size=400_000)
        new_model(session, HERE, size=50_000)
    with database.read() as session:
        assert usage.of_guild(session, HERE) == usage.Usage(51_020, 1)
        assert usage.of_guild(session, 3) == usage.Usage(0, 0)


def test_files_of_before_are_measured_once(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    real = usage.unmeasured
    monkeypatch.setattr(
        usage,
        "unmeasured",
        lambda session, table, after, served: real(session, table, after, served, limit=2),
    )
    (tmp_path / "bundles" / "1" / "Bard").mkdir(parents=True)
    (tmp_path / "bundles" / "1" / "Bard" / "weights").write_bytes(b"x" * 70)
    with database.write() as session:
        model = new_model(session, HERE)
        for number in range(5):
            (tmp_path / f"{number}.txt").write_bytes(b"x" * 10**number)
            new_corpus(session, HERE, sha256=str(number) * 64, path=f"{number}.txt", characters=1)
        new_corpus(session, HERE, sha256="f" * 64, path="gone.txt", characters=7)
    layout = Layout(tmp_path)
    assert quotas.measure_old_files(database, layout) == 6
    assert quotas.measure_old_files(database, layout) == 0
    with database.read() as session:
        assert usage.of_guild(session, HERE) == usage.Usage(70 + 11_111 + 7, 1)
        measured = text_models.get(session, HERE, model.id)
        assert measured is not None
        assert measured.updated_at == model.updated_at, "the newest model is the one with the newest bundle"
        assert {row.table for row in real(session, Corpus, 0)} == {Corpus}
        assert list(real(session, TextModel, 0)) == []


def test_files_of_servers_that_another_process_serves_are_left_to_it(database: Database, tmp_path: Path):
    first, second = 0 << 22, 1 << 22
    for number, guild_id in enumerate((first, second)):
        (tmp_path / f"{number}.txt").write_bytes(b"x" * 9)
        with database.write() as session:
            new_corpus(session, guild_id, sha256=str(number) * 64, path=f"{number}.txt", size=None)
    assert quotas.measure_old_files(database, Layout(tmp_path), ServedShards(2, frozenset({1}))) == 1
    with database.read() as session:
        assert [row.guild_id for row in usage.unmeasured(session, Corpus, 0)] == [first]
        assert usage.of_guild(session, second).size == 9
