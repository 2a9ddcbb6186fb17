"""The same text uploaded by several at once is stored once, and nobody deletes it from under another."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.infra.paths import Layout
from bot.privacy import erasure, orphans
from bot.training.uploads.intake import AcceptedText, accept
from models import Corpus, personal_data, retention
from tests.support.bot.trainings import train
from tests.support.bot.world import World, private_line
from tests.support.rows import new_corpus

NOW = datetime.now(UTC)


def upload(world: World, guild_id: int, text: str) -> AcceptedText:
    source = world.bot.layout.data_dir / "uploaded"
    source.write_text(text, encoding="utf-8")
    return accept(source, filename="play.txt", guild_id=guild_id, layout=world.bot.layout)


def record(world: World, guild_id: int, text: AcceptedText, by: int) -> Corpus:
    """What a training's transaction does with a text."""
    with world.bot.database.write() as session:
        retention.keep_files(session, [text.key])
        world.bot.storage.settle(text.upload, text.key)
        return new_corpus(
            session,
            guild_id,
            sha256=text.sha256,
            filename=text.filename,
            path=text.key,
            uploaded_by=by,
            rights_confirmed_at=NOW,
        )


def stored(layout: Layout, guild_id: int) -> list[Path]:
    return sorted((layout.guild(guild_id) / "corpora").glob("*"))


@pytest.mark.parametrize("first_to_end", ["refused", "kept"])
async def test_a_refused_upload_leaves_the_same_text_of_another(
    world: World, corpus_text: str, first_to_end: str
):
    ada, ben = upload(world, 1, corpus_text), upload(world, 1, corpus_text)
    if first_to_end == "refused":
        ben.forget()
        record(world, 1, ada, by=22)
    else:
        record(world, 1, ada, by=22)
        ben.forget()
    (path,) = stored(world.bot.layout, 1)
    assert path.read_text(encoding="utf-8") == corpus_text


async def test_the_command_itself_takes_the_text_from_nobody(world: World, corpus_text: str):
    stratford = world.place()
    ada = upload(world, stratford.guild.id, corpus_text)
    told = private_line(await train(stratford, corpus_text, validation=("v.txt", b"too short")))
    assert "at least 100 are needed" in told
    record(world, stratford.guild.id, ada, by=stratford.admin.id)
    assert [path.name for path in stored(world.bot.layout, stratford.guild.id)] == [f"{ada.sha256}.txt"]


async def test_a_text_goes_with_the_last_upload_that_stands_for_it(world: World, corpus_text: str):
    storage, database = world.bot.storage, world.bot.database
    for person in (22, 33):
        record(world, 1, upload(world, 1, corpus_text), by=person)
    assert len(stored(storage.layout, 1)) == 1
    erasure.erase_person(database, storage, 1, 22, NOW, models=False)
    assert len(stored(storage.layout, 1)) == 1
    erasure.erase_person(database, storage, 1, 33, NOW, models=False)
    assert stored(storage.layout, 1) == []


@pytest.mark.parametrize("deleted", ["before the row is written", "after it"])
@pytest.mark.slow
async def test_a_deletion_that_is_under_way_spares_the_same_text_uploaded_anew(
    world: World, corpus_text: str, deleted: str
):
    storage, database = world.bot.storage, world.bot.database
    record(world, 1, upload(world, 1, corpus_text), by=22)
    again = upload(world, 1, corpus_text)
    with database.write() as session:  # the deletion's transaction; its files go afterwards
        personal_data.forget_person(session, 1, 22, NOW)
        retention.remove_files(session, [again.key], NOW)
    if deleted == "after it":
        record(world, 1, again, by=33)
    erasure.carry_out_removals(database, storage, NOW)
    if deleted == "before the row is written":
        assert not storage.layout.located(again.key).exists()
        record(world, 1, again, by=33)
    erasure.carry_out_removals(database, storage, NOW + timedelta(hours=2))
    assert stored(storage.layout, 1) == [storage.layout.located(again.key)]


async def test_who_deletes_the_servers_data_during_an_upload_is_obeyed(world: World, corpus_text: str):
    stratford = world.place()
    download, storage = world.bot.download, world.bot.storage

    async def slow(url: str):
        if "slow.txt" in url:
            erasure.erase_guild(world.bot.database, storage, stratford.guild.id, NOW)
        async for piece in download(url):
            yield piece

    world.bot.download = slow
    told = private_line(
        await train(stratford, corpus_text, validation=("slow.txt", corpus_text[:2000].encode()))
    )
    assert told == "This server's data was deleted during the upload. Upload the text again."
    assert all(".upload-" not in path.name for path in stored(storage.layout, stratford.guild.id))


async def test_what_a_crash_left_of_an_upload_is_swept(world: World, corpus_text: str):
    left, fresh = upload(world, 1, corpus_text), upload(world, 1, corpus_text)
    long_ago = (NOW - timedelta(hours=2)).timestamp()
    os.utime(left.upload, (long_ago, long_ago))
    orphans.sweep(world.bot.database, world.bot.storage, NOW)
    assert stored(world.bot.layout, 1) == [fresh.upload]
