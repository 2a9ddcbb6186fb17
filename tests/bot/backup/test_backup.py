"""A backup is written while the bot runs, and restored into an empty place with any kind of storage."""

import fcntl
import hashlib
import json
import stat
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import migrations
from bot.backup import writing
from bot.backup.archive import BackupError
from bot.backup.restoring import restore
from bot.backup.writing import backup
from bot.cli import main
from bot.infra.storage import keys, starting
from bot.infra.storage.opening import open_storage
from bot.infra.storage.storage import Storage
from bot.settings import Settings, SettingsError
from models import Database, TextModel, text_models
from tests.support.bot.s3 import S3
from tests.support.rows import new_corpus, new_job, publish

GUILD = 7
TEXT = "But soft, what light through yonder window breaks?\n" * 20
SHA256 = hashlib.sha256(TEXT.encode()).hexdigest()
BUNDLE = {"manifest.json": "{}", "weights.safetensors": "weights" * 1000}


class Installation:
    """A bot's data: a text, a model, and a queued training that goes on from the model."""

    def __init__(self, settings: Settings) -> None:
        settings.prepare_data_dir()
        migrations.upgrade(settings.database_url)
        self.settings, self.database = settings, Database(settings.database_url)
        self.storage: Storage = open_storage(settings)
        starting.prepare(self.storage, self.database)
        self.add_text(TEXT)
        self.add_model("Romeo")
        with self.database.write() as session:
            job = new_job(session, GUILD, 1, model_name="Next")
            self.storage.copy_folder(session.get_one(TextModel, 1).bundle_path, keys.base_key(GUILD, job.id))
            self.job = job.id

    def add_text(self, text: str) -> None:
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        key, upload = keys.corpus_key(GUILD, sha256), self.storage.layout.upload(GUILD, sha256[:8])
        upload.parent.mkdir(parents=True, exist_ok=True)
        upload.write_text(text)
        self.storage.store_file(upload, key)
        with self.database.write() as session:
            self.storage.settle(upload, key)
            new_corpus(session, GUILD, sha256=sha256, path=key)

    def add_model(self, name: str) -> str:
        folder = self.storage.layout.bundle(GUILD, hashlib.md5(name.encode()).hexdigest())  # noqa: S324
        folder.mkdir(parents=True)
        for file, content in BUNDLE.items():
            (folder / file).write_text(content + name)
        key = self.storage.store_folder(folder, keys.bundle_key(GUILD, folder.name))
        with self.database.write() as session:
            publish(session, GUILD, name=name, bundle_path=key, corpus_id=1)
        return key

    def delete_model(self, name: str) -> None:
        with self.database.write() as session:
            model = text_models.by_name(session, GUILD, name)
            assert model is not None
            text_models.delete(session, GUILD, model.id)
        self.storage.delete(model.bundle_path)


Place = Callable[..., Settings]


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Make settings of an empty place."""

    def make(kind: str, name: str) -> Settings:
        if kind == "s3":
            server: S3 = request.getfixturevalue("s3")
            return Settings(**server.settings(tmp_path / name))
        return Settings(_env_file=None, data_dir=tmp_path / name)

    return make


def require_whole(settings: Settings, *names: str) -> None:
    """Check that everything that rows name is there, as it was."""
    storage, database = open_storage(settings), Database(settings.database_url)
    starting.prepare(storage, database)
    with database.read() as session:
        found = {model.name: model.bundle_path for model in text_models.listing(session, GUILD)}
    assert sorted(found) == sorted(names)
    for name, key in found.items():
        with storage.lease(key) as bundle:
            read = {path.name: path.read_text() for path in bundle.iterdir()}
        assert read == {file: content + name for file, content in BUNDLE.items()}
    with storage.lease(keys.corpus_key(GUILD, SHA256)) as text:
        assert text.read_text() == TEXT
    database.dispose()


@pytest.mark.parametrize(("source", "target"), [("folder", "folder"), ("folder", "s3"), ("s3", "folder")])
def test_what_is_restored_is_what_was_backed_up(place: Place, tmp_path: Path, source: str, target: str):
    old = Installation(place(source, "old"))
    file = tmp_path / "backup.zip"
    made = backup(old.settings, file)
    assert (made.texts, made.models, made.missing) == (1, 1, 0)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    new = place(target, "new")
    restore(new, file)
    require_whole(new, "Romeo")
    base = tmp_path / "base"
    open_storage(new).fetch_folder(keys.base_key(GUILD, old.job), base)
    assert {path.name for path in base.iterdir()} == BUNDLE.keys()
    assert {path.name for path in tmp_path.iterdir()} == {"backup.zip", "old", "new", "base"}


def test_models_that_come_and_go_during_a_backup_leave_it_whole(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    old = Installation(place("folder", "old"))
    old.add_model("Tybalt")
    look, rounds = writing._named, []

    def interfere(session):
        named = look(session)
        rounds.append(len(named[0]))
        if len(rounds) == 1:  # the rows are copied, and no file is yet
            old.delete_model("Tybalt")
            old.add_model("Juliet")
        return named

    monkeypatch.setattr(writing, "_named", interfere)
    made = backup(old.settings, tmp_path / "backup.zip")
    assert len(rounds) == 2
    assert made.missing == 0
    new = place("folder", "new")
    restore(new, tmp_path / "backup.zip")
    require_whole(new, "Romeo", "Juliet")


def test_a_backup_while_others_write_all_the_time_is_whole(place: Place, tmp_path: Path):
    old, ended = Installation(place("folder", "old")), threading.Event()

    def write() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            old.add_model(f"passing {number}")
            old.delete_model(f"passing {number}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        backup(old.settings, tmp_path / "backup.zip")
    finally:
        ended.set()
        writer.join()
    new = place("folder", "new")
    restore(new, tmp_path / "backup.zip")
    with Database(new.database_url).read() as session:
        names = [model.name for model in text_models.listing(session, GUILD)]
    require_whole(new, *names)
    assert "Romeo" in names


def test_a_file_that_was_lost_before_is_counted(place: Place, tmp_path: Path):
    old = Installation(place("folder", "old"))
    old.storage.delete(old.add_model("Lost"))
    assert backup(old.settings, tmp_path / "backup.zip").missing == 1
    new = place("folder", "new")
    restore(new, tmp_path / "backup.zip")
    with Database(new.database_url).read() as session:
        assert text_models.by_name(session, GUILD, "Lost") is not None


def changed(file: Path, how: str) -> None:
    data = bytearray(file.read_bytes())
    if how == "cut":
        data = data[: len(data) // 2]
    elif how == "empty":
        data.clear()
    elif how == "byte":
        data[len(data) // 3] ^= 1
    elif how == "text":
        data = bytearray(b"no backup at all")
    else:
        rewritten = file.with_suffix(".other")
        with zipfile.ZipFile(file) as old, zipfile.ZipFile(rewritten, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                if name == "manifest.json":
                    manifest = json.loads(content)
                    if how == "format":
                        manifest["format"] = 99
                    elif how == "revision":
                        manifest["revision"] = "20990101_tomorrow"
                    elif how == "number":
                        manifest["texts"] = 5
                    elif how == "list":
                        manifest["folders"] = []
                    elif how == "path":
                        key = manifest["texts"][0]
                        away = f"guilds/{GUILD}/../../../../outside"
                        manifest["texts"] = [away]
                        manifest["members"][f"files/{away}"] = manifest["members"].pop(f"files/{key}")
                    content = json.dumps(manifest).encode()
                elif how == "content" and name.endswith(".txt"):
                    content = b"another text"
                elif how == "lacks" and name.endswith(".txt"):
                    continue
                new.writestr(name, content)
        data = bytearray(rewritten.read_bytes())
        rewritten.unlink()
    file.write_bytes(data)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("cut", "it is cut or changed"),
        ("empty", "it is cut or changed"),
        ("text", "it is cut or changed"),
        ("byte", "cannot be restored"),
        ("content", "is not what was written"),
        ("lacks", "it is cut or changed"),
        ("path", "it is cut or changed"),
        ("number", "it is cut or changed"),
        ("list", "it is cut or changed"),
        ("format", "has format 99"),
        ("revision", "tables 20990101_tomorrow"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_before_anything_is_changed(
    place: Place, tmp_path: Path, how: str, words: str
):
    old = Installation(place("folder", "old"))
    file = tmp_path / "backup.zip"
    backup(old.settings, file)
    changed(file, how)
    new = place("folder", "new")
    with pytest.raises(BackupError, match=words) as caught:
        restore(new, file)
    assert "\n" not in str(caught.value)
    assert not new.data_dir.exists()


def test_a_place_that_is_not_empty_is_refused(place: Place, tmp_path: Path, s3: S3):
    old = Installation(place("s3", "old"))
    file = tmp_path / "backup.zip"
    backup(old.settings, file)
    with pytest.raises(BackupError, match="is not empty"):
        restore(old.settings, file)
    fresh = old.settings.model_copy(
        update={
            "data_dir": tmp_path / "new",
            "database_url": f"sqlite:///{tmp_path}/new/pastiche.sqlite",
            "jobs_database_url": f"sqlite:///{tmp_path}/new/jobs.sqlite",
        }
    )
    with pytest.raises(BackupError, match=r"the storage s3://.* is not empty"):
        restore(fresh, file)
    require_whole(old.settings, "Romeo")


def test_a_running_bot_is_told_from_a_folder_that_is_merely_full(place: Place, tmp_path: Path):
    old = Installation(place("folder", "old"))
    backup(old.settings, tmp_path / "backup.zip")
    with old.storage.layout.lock("bot").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BackupError, match="a bot or worker runs on"):
            restore(old.settings, tmp_path / "backup.zip")


def test_at_the_shell_it_says_what_it_did_and_never_overwrites(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    old = Installation(place("folder", "old"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PASTICHE_DATA_DIR", str(old.settings.data_dir))
    for name in ("DATABASE_URL", "PASTICHE_STORAGE"):
        monkeypatch.delenv(name, raising=False)
    run = CliRunner().invoke
    done = run(main, ["backup", "b.zip"])
    assert done.output.startswith("b.zip: 1 models and 1 texts,")
    before = (tmp_path / "b.zip").read_bytes()
    again = run(main, ["backup", "b.zip"])
    assert (again.exit_code, again.stderr.count("\n")) == (1, 1)
    assert "b.zip is there already" in again.stderr
    assert (tmp_path / "b.zip").read_bytes() == before
    assert run(main, ["backup", "--force", "b.zip"]).exit_code == 0
    monkeypatch.setenv("PASTICHE_DATA_DIR", str(tmp_path / "new"))
    restored = run(main, ["restore", "b.zip"])
    assert restored.exit_code == 0, restored.output
    require_whole(Settings(_env_file=None, data_dir=tmp_path / "new"), "Romeo")
    nothing = run(main, ["restore", "nowhere.zip"])
    assert (nothing.exit_code, nothing.stderr.count("\n")) == (1, 1)


def test_a_start_with_the_other_kind_of_storage_says_how_to_move(place: Place, s3: S3):
    old = Installation(place("folder", "old"))
    given = s3.settings(old.settings.data_dir, database_url=old.settings.database_url)
    with pytest.raises(SettingsError, match="1 models of the database lie in the data directory"):
        starting.prepare(open_storage(Settings(**given)), old.database)
