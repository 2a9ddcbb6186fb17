"""What a kill left behind goes within hours; what is under way, in use or not ours stays."""

import datetime
import os
from pathlib import Path

import pytest
import sqlalchemy as sa

import migrations
from bot.commands.background import housekeeping
from bot.infra.paths import Layout, relative
from bot.infra.storage.folder import FolderStorage
from bot.privacy import orphans
from bot.settings import Settings
from models import Database, JobState, corpora, training_jobs
from models.tables import Installation
from tests.support.rows import new_corpus, new_job, publish

GUILD = 11
NOW = datetime.datetime.now(datetime.UTC)
USED_TEXT, LOST_TEXT = "a" * 64, "b" * 64
MODEL, DONE, LOST = "c" * 32, "d" * 32, "e" * 32


class Disk:
    """A data directory with a text, a model and a training that are in use."""

    def __init__(self, settings: Settings) -> None:
        settings.prepare_data_dir()
        migrations.upgrade(settings.database_url)
        self.database, self.layout = Database(settings.database_url), Layout(settings.data_dir)
        self.guild = self.layout.guild(GUILD)
        with self.database.write() as session:
            session.execute(sa.update(Installation).values(created_at=NOW - datetime.timedelta(days=99)))
            path = relative(self.layout.corpus(GUILD, USED_TEXT))
            corpus = new_corpus(session, GUILD, sha256=USED_TEXT, path=path)
            bundle = relative(self.layout.bundle(GUILD, MODEL))
            publish(session, GUILD, bundle_path=bundle, corpus_id=corpus.id, training_job_id=MODEL)
            self.job = new_job(session, GUILD, corpus.id, model_name="Next").id

    def put(self, name: str, *, hours: float = 3) -> Path:
        """Make a file, or a folder with one where the name ends in a slash, as it was left so long ago."""
        path = self.layout.data_dir / name.format(guild=f"guilds/{GUILD}", job=self.job)
        file = path / "file" if name.endswith("/") else path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("text")
        then = (NOW - datetime.timedelta(hours=hours)).timestamp()
        for each in (file, path):
            os.utime(each, (then, then))
        return path

    def sweep(self) -> None:
        orphans.sweep(self.database, FolderStorage(self.layout), NOW)


@pytest.fixture
def disk(settings: Settings) -> Disk:
    return Disk(settings)


LEFT = [
    "{guild}/corpora/" + f"{LOST_TEXT}.txt",
    "{guild}/corpora/" + f".{USED_TEXT}.txt.x1_abc",
    "{guild}/corpora/" + f".upload-{LOST}",
    "{guild}/corpora/" + f"..upload-{LOST}.x1_abc",
    "{guild}/corpora/" + f".upload-{LOST}.raw",
    "{guild}/corpora/" + f"..upload-{LOST}.raw.x1_abc",
    "{guild}/models/" + f".import-{LOST}.zip",
    "{guild}/models/" + f"{LOST}/",
    "{guild}/models/" + f"import-{LOST}/",
    "{guild}/models/" + f".import-{LOST}/",
    "{guild}/models/" + f"{LOST}.checkpoint/",
    "{guild}/models/" + f"{MODEL}.checkpoint/",
    "{guild}/models/" + f"{LOST}.lock",
    "{guild}/models/" + f".{LOST}.previous/",
    "{guild}/models/" + f".{MODEL}.4242.new/",
    "{guild}/models/" + f".{MODEL}.4242.0a1b2c3d.new/",
    "{guild}/jobs/" + f"{LOST}/",
    ".heartbeat.json.x1_abc",
]


def test_what_is_left_goes_after_an_hour(disk: Disk):
    paths = [disk.put(name, hours=0.9) for name in LEFT]
    disk.sweep()
    assert all(path.exists() for path in paths), "it may be under way"
    for name in LEFT:
        disk.put(name)
    disk.sweep()
    assert [path for path in paths if path.exists()] == []


KEPT = [
    "{guild}/corpora/" + f"{USED_TEXT}.txt",
    "{guild}/models/" + f"{MODEL}/",
    "{guild}/models/{job}/",
    "{guild}/models/{job}.checkpoint/",
    "{guild}/models/{job}.lock",
    "{guild}/jobs/{job}/",
    "{guild}/models/by-hand/",
    "{guild}/models/" + f"{LOST}.tar",
    "{guild}/corpora/notes.txt",
    "{guild}/jobs/readme.txt",
    "guilds/backup/models/" + f"{LOST}/",
    f"guilds/{LOST_TEXT}.txt",
    "pastiche.sqlite.backup-1",
    "notes/",
    "home/.keras/keras.json",
]


def test_what_is_in_use_or_not_ours_stays(disk: Disk):
    paths = [disk.put(name, hours=1000) for name in KEPT]
    disk.sweep()
    assert [path for path in paths if not path.exists()] == []


def test_what_is_older_than_the_database_stays_but_for_what_was_only_begun(disk: Disk):
    text, begun = (
        disk.put("{guild}/corpora/" + f"{LOST_TEXT}.txt"),
        disk.put("{guild}/corpora/.upload-" + LOST),
    )
    model, job = disk.put("{guild}/models/" + f"{LOST}/"), disk.put("{guild}/jobs/" + f"{LOST}/")
    with disk.database.write() as session:
        session.execute(sa.update(Installation).values(created_at=NOW))
    disk.sweep()
    assert text.exists()
    assert model.exists()
    assert job.exists()
    assert not begun.exists()


def test_a_folder_in_which_something_is_written_is_left_alone(disk: Disk):
    path = disk.put("{guild}/models/" + f"import-{LOST}/")
    (path / "deep").mkdir()
    (path / "deep" / "weights").write_text("new")
    os.utime(path, (0, 0))
    disk.sweep()
    assert path.exists()


def test_temporary_files_of_children_go_after_two_days(disk: Disk):
    young, old = disk.put("home/tmp/a", hours=40), disk.put("home/tmp/b/", hours=50)
    disk.sweep()
    assert young.exists()
    assert not old.exists()


def test_an_ended_training_and_a_deleted_text_are_in_use_no_more(disk: Disk):
    paths = [disk.put("{guild}/jobs/{job}/"), disk.put("{guild}/corpora/" + f"{USED_TEXT}.txt")]
    with disk.database.write() as session:
        training_jobs.get(session, GUILD, disk.job).state = JobState.FAILED
        corpora.get(session, GUILD, 1).text_deleted_at = NOW
    housekeeping.tidy(disk.database, FolderStorage(disk.layout), NOW)
    assert not any(path.exists() for path in paths)
