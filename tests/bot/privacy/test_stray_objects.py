"""What lies in an S3-like storage and has no row is deleted after a day; nothing else is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

import migrations
from bot.infra.storage import keys
from bot.infra.storage.objects import ObjectStorage
from bot.privacy import orphans
from bot.settings import Settings
from models import Database, JobState, training_jobs
from models.tables import Installation
from tests.support.bot.s3 import S3, opened
from tests.support.rows import new_corpus, new_job, publish

GUILD, OTHER = 7, 8
TEXT, STRAY = "a" * 64, "b" * 64
NAMED, LOST_RACE = keys.packed_key(keys.bundle_key(GUILD, "c" * 32), "1" * 64), "2" * 64


@pytest.fixture
def storage(s3: S3, tmp_path: Path) -> ObjectStorage:
    return opened(Settings(**s3.settings(tmp_path / "data")))


@pytest.fixture
def database(tmp_path: Path) -> Database:
    url = f"sqlite:///{tmp_path}/pastiche.sqlite"
    migrations.upgrade(url)
    return Database(url)


def put(storage: ObjectStorage, *objects: str) -> None:
    for key in objects:
        storage.bucket.write(key, b"x")


def left(storage: ObjectStorage) -> set[str]:
    return {each.key for each in storage.bucket.listing("guilds")}


def test_after_a_day_only_what_rows_name_is_left(storage: ObjectStorage, database: Database):
    with database.write() as session:
        corpus = new_corpus(session, GUILD, sha256=TEXT, path=keys.corpus_key(GUILD, TEXT))
        publish(session, GUILD, bundle_path=NAMED, corpus_id=corpus.id)
        waiting, failed = (new_job(session, GUILD, corpus.id).id for _ in range(2))
        training_jobs.get(session, GUILD, failed).state = JobState.FAILED
    named = {
        keys.corpus_key(GUILD, TEXT),
        NAMED,
        f"{keys.folder_of(NAMED)}/loss.png",
        keys.packed_key(keys.base_key(GUILD, waiting), "3" * 64),
        f"{keys.checkpoint_key(GUILD, waiting, 2)}/state.safetensors",
        keys.packed_key(keys.bundle_key(GUILD, waiting), "4" * 64),
    }
    strays = {
        keys.corpus_key(GUILD, STRAY),
        keys.corpus_key(OTHER, TEXT),
        keys.packed_key(keys.folder_of(NAMED), LOST_RACE),
        keys.packed_key(keys.base_key(GUILD, failed), "3" * 64),
        f"{keys.checkpoint_key(GUILD, failed, 1)}/state.safetensors",
        f"{keys.bundle_key(GUILD, failed)}/loss.png",
    }
    put(storage, *named, *strays)
    orphans.sweep(database, storage, datetime.now(UTC) + timedelta(hours=23))
    assert left(storage) == named | strays
    orphans.sweep(database, storage, datetime.now(UTC) + timedelta(hours=25))
    assert left(storage) == named


def test_objects_of_another_database_are_left_alone(storage: ObjectStorage, database: Database):
    put(storage, keys.corpus_key(GUILD, STRAY))
    with database.write() as session:
        session.execute(sa.update(Installation).values(created_at=datetime.now(UTC) + timedelta(hours=1)))
    orphans.sweep(database, storage, datetime.now(UTC) + timedelta(days=9))
    assert left(storage) == {keys.corpus_key(GUILD, STRAY)}


def test_copies_of_what_another_host_deleted_leave_this_one(storage: ObjectStorage, database: Database):
    with storage.cache.lease(NAMED, lambda part: (part / "weights").touch()):
        pass
    scratch = storage.layout.bundle(GUILD, "d" * 32)
    scratch.mkdir(parents=True)
    orphans.sweep_here(database, storage, datetime.now(UTC) + timedelta(hours=2))
    assert storage.cache.listing() == []
    assert not scratch.exists()
