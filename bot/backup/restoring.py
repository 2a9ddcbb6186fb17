"""Restores a backup: checks everything first, then writes files, and the database last.

The storage may be of another kind than the one of the backup; then the rows are told where their models lie.
Rows of SQLite may go to PostgreSQL; the queue is then filled anew from the jobs.
"""

import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import migrations
from bot.backup import databases
from bot.backup.archive import DATABASE, FILES, QUEUE, BackupError, Manifest, Reader
from bot.backup.carrying import carry_over
from bot.infra.file_locks import is_held
from bot.infra.paths import GUILDS
from bot.infra.storage import keys, starting
from bot.infra.storage.objects import ObjectStorage
from bot.infra.storage.opening import open_storage
from bot.infra.storage.storage import Storage
from bot.settings import Settings
from models import Database, text_models
from textgen.files.atomic import sync_folder

STAGE = ".restore"


def restore(settings: Settings, source: Path) -> Manifest:
    """Restore a backup into empty places, and return what it contained.

    Args:
        settings: of the host; they name the data directory, the databases and the storage to fill.
        source: path of the backup.

    Raises:
        BackupError: the file is damaged, of another version, or a place is not empty. Nothing was changed.
        StorageError: the storage cannot be written to.
        DatabaseError: the database cannot be written to.
        OSError: a file cannot be read or written.
    """
    with closing(Reader(source)) as reader:
        storage = open_storage(settings)
        _require_version(settings, reader.manifest, source)
        _require_empty(settings, storage, reader.manifest.kind)
        reader.verify()
        stage = settings.prepare_data_dir() / STAGE
        shutil.rmtree(stage, ignore_errors=True)  # what an interrupted restore left
        stage.mkdir(mode=0o700)
        try:
            _fill(settings, storage, reader, stage)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    return reader.manifest


def _require_version(settings: Settings, manifest: Manifest, source: Path) -> None:
    newest = migrations.newest()
    if manifest.revision != newest:
        raise BackupError(
            f"{source} was made by Pastiche {manifest.version} with tables {manifest.revision}, and this "
            f"version has {newest}: restore it with the version that made it, then update"
        )
    kind = databases.kind(settings.database_url)
    if manifest.kind != kind and manifest.kind != databases.SQLITE:
        raise BackupError(
            f"{source} holds a {manifest.kind} database, and DATABASE_URL names one of {kind}: set "
            f"DATABASE_URL to a {manifest.kind} database"
        )


def _require_empty(settings: Settings, storage: Storage, kind: str) -> None:
    """Check that no bot is running here, and that there is nothing that would be overwritten."""
    folder = settings.data_dir
    for lock in folder.glob("*.lock"):
        if is_held(lock):
            raise BackupError(f"a bot or worker runs on {folder} ({lock.name}): end it first")
    if folder.is_dir():
        found = sorted(path.name for path in folder.iterdir() if path.name != STAGE)
        if found:
            raise BackupError(
                f"the data directory {folder} is not empty ({found[0]} is there): name an empty one in "
                "PASTICHE_DATA_DIR"
            )
    for url, name in (
        (settings.database_url, "DATABASE_URL"),
        (settings.jobs_database_url, "PASTICHE_JOBS_DATABASE_URL"),
    ):
        if kind == databases.POSTGRESQL:
            databases.require_program(url, "pg_restore")
        if not databases.is_empty(url):
            raise BackupError(f"the database that {name} names is not empty: name an empty one")
    if isinstance(storage, ObjectStorage) and next(storage.bucket.listing(), None) is not None:
        raise BackupError(f"the storage {storage.shown} is not empty: name an empty bucket or another prefix")


def _fill(settings: Settings, storage: Storage, reader: Reader, stage: Path) -> None:
    """Put the files in place, then the queue, then the database: what a row names is there before the row."""
    manifest, data_dir = reader.manifest, settings.data_dir
    placed: dict[str, str] = {}
    if storage.is_remote:
        for key in manifest.texts:
            with tempfile.TemporaryDirectory(dir=stage) as scratch:
                reader.extract(f"{FILES}/{key}", Path(scratch) / "text")
                storage.store_file(Path(scratch) / "text", key)
        for key in manifest.folders:
            with tempfile.TemporaryDirectory(dir=stage) as scratch:
                _extract_folder(reader, key, Path(scratch) / "folder")
                placed[key] = storage.store_folder(Path(scratch) / "folder", key)
    else:
        for key in manifest.texts:
            reader.extract(f"{FILES}/{key}", stage / key)
        for key in manifest.folders:
            _extract_folder(reader, key, stage / key)
    reader.extract(DATABASE, stage / DATABASE)
    if manifest.queue:
        reader.extract(QUEUE, stage / QUEUE)
    if manifest.kind == databases.SQLITE:
        _place(f"sqlite:///{stage / DATABASE}", placed, packed=storage.is_remote)
        databases.settle(stage / DATABASE)
    if (stage / GUILDS).is_dir():
        (stage / GUILDS).rename(data_dir / GUILDS)
    if manifest.queue:
        _load_queue(settings.jobs_database_url, stage / QUEUE)
    if manifest.kind == databases.kind(settings.database_url):
        databases.load(settings.database_url, stage / DATABASE)
    else:
        carry_over(stage / DATABASE, settings.database_url)
    if manifest.kind != databases.SQLITE:
        _place(settings.database_url, placed, packed=storage.is_remote)
    sync_folder(data_dir)
    with Database(settings.database_url) as database:
        starting.prepare(storage, database)


def _extract_folder(reader: Reader, key: str, target: Path) -> None:
    target.mkdir(parents=True)
    for name in reader.manifest.folders[key]:
        reader.extract(f"{FILES}/{key}/{name}", target / name)


def _load_queue(url: str, copied: Path) -> None:
    """Restore the queue if it is of the same kind; else it is filled anew from the jobs at the next start."""
    with copied.open("rb") as file:
        is_sqlite = file.read(6) == b"SQLite"
    if is_sqlite == (databases.kind(url) == databases.SQLITE):
        databases.load(url, copied)


def _place(url: str, placed: dict[str, str], *, packed: bool) -> None:
    """Let the rows name their models where they lie now.

    Args:
        url: of the database.
        placed: for each folder that went to an S3-like storage the key of its zip.
        packed: whether the models lie in such a storage; otherwise they lie in their folders.
    """
    with Database(url) as database, database.write() as session:
        for stored in text_models.stored_keys(session):
            folder = keys.folder_of(stored)
            # Files that were lost before the backup are named as if they were there.
            new = placed.get(folder, keys.packed_key(folder, "0" * 64)) if packed else folder
            if new != stored:
                text_models.move(session, stored, new)
