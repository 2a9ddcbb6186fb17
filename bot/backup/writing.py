"""Makes a backup while bot and workers go on.

Rows come first, then the files that they name: a file is stored before its row, so whatever the copied rows
name was there at that moment. Files never change. A file that is gone when its turn comes was deleted after
the rows were copied; then the rows are copied once more, and only what is new is added. A backup is what
there was at the moment of the last copy. No lock is needed, and nobody's deletion has to wait.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

import migrations
from bot.backup import databases
from bot.backup.archive import DATABASE, FILES, QUEUE, BackupError, Manifest, Writer
from bot.infra.paths import CORPORA, MODELS
from bot.infra.storage import keys
from bot.infra.storage.opening import open_storage
from bot.infra.storage.storage import Storage
from bot.infra.version import installed_version
from bot.settings import Settings
from models import retention, utc_now
from textgen.files.atomic import beside, sync, sync_folder

log = structlog.stdlib.get_logger(__name__)

# People delete a few files in an hour, and a round after the first takes seconds.
ROUNDS = 20
PRIVATE = 0o600


@dataclass(frozen=True)
class Summary:
    """What a backup contains, in numbers; `missing` files are named by rows, and were not stored."""

    bytes: int
    texts: int
    models: int
    missing: int


def backup(settings: Settings, target: Path, *, force: bool = False) -> Summary:
    """Write a backup of everything that the settings name.

    Args:
        settings: of the host.
        target: path of the file.
        force: whether an existing file is replaced.

    Raises:
        BackupError: there is nothing to back up, the file exists, or the database's programs are missing.
        StorageError: the storage cannot be read.
        DatabaseError: the database cannot be read.
        OSError: the file cannot be written; nothing is left behind.
    """
    if target.exists() and not force:
        raise BackupError(f"{target} is there already: name another file, or give --force to replace it")
    if target.is_dir():
        raise BackupError(f"{target} is a folder: name a file")
    manifest = _begun(settings)
    storage = open_storage(settings)
    part = beside(target, "tmp")
    try:
        with (
            tempfile.TemporaryDirectory(dir=target.parent, prefix=".pastiche-backup-") as scratch,
            os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as file,
        ):
            writer = Writer(file, manifest)
            _Files(settings, storage, writer, Path(scratch)).add()
            writer.close()
            sync(file)
        part.replace(target)
        sync_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)
    models = sum(f"/{MODELS}/" in key for key in manifest.folders)
    return Summary(target.stat().st_size, len(manifest.texts), models, len(manifest.missing))


def _begun(settings: Settings) -> Manifest:
    url, kind = settings.database_url, databases.kind(settings.database_url)
    if databases.is_empty(url):
        raise BackupError("there is nothing to back up: the database has no tables yet")
    for each in (url, settings.jobs_database_url):
        databases.require_program(each, "pg_dump")
    revision = migrations.current(url)
    if revision is None or not migrations.is_current(url):
        raise BackupError(
            f"the database is at revision {revision}, which is not that of this version of Pastiche: "
            "run `pastiche migrate` first, or the version that made it"
        )
    return Manifest(installed_version(), revision, kind)


class _Files:
    """Copies the databases and the files that rows name."""

    def __init__(self, settings: Settings, storage: Storage, writer: Writer, scratch: Path) -> None:
        self._settings, self._storage, self._writer, self._scratch = settings, storage, writer, scratch
        self._manifest = writer.manifest
        self._texts: set[str] = set()

    def add(self) -> None:
        """Add everything.

        Raises:
            BackupError: files are deleted faster than they are copied.
        """
        gone_before: set[str] | None = None
        for _round in range(ROUNDS):
            copied = self._scratch / DATABASE
            copied.unlink(missing_ok=True)
            self._manifest.made_at = utc_now().isoformat()
            named, bases = databases.copy(self._settings.database_url, copied, _named)
            gone = {key for key in sorted(named) if not self._added(key)}
            for key in bases:  # a job that trains no model further has none
                self._added(key)
            # What two copies of the rows name, and what is not there either time, was lost before.
            if (gone_before is not None and gone <= gone_before) or not gone:
                self._keep(named | bases, gone)
                self._writer.add_file(DATABASE, copied)
                self._add_queue()
                return
            gone_before = gone
        raise BackupError("files are deleted faster than they can be copied: try again when less is going on")

    def _keep(self, named: set[str], gone: set[str]) -> None:
        """Leave out of the manifest what rows named in an earlier round only."""
        folders = {keys.folder_of(key) for key in named}
        manifest = self._manifest
        manifest.texts = sorted(self._texts & named)
        manifest.folders = {key: names for key, names in sorted(manifest.folders.items()) if key in folders}
        kept = {f"{FILES}/{key}" for key in manifest.texts}
        kept |= {f"{FILES}/{key}/{name}" for key, names in manifest.folders.items() for name in names}
        manifest.members = {name: digest for name, digest in manifest.members.items() if name in kept}
        manifest.missing = sorted(gone)

    def _add_queue(self) -> None:
        url = self._settings.jobs_database_url
        if url == self._settings.database_url or databases.is_empty(url):
            return  # it is in the same database, or no job was ever put in
        copied = self._scratch / QUEUE
        databases.copy(url, copied, lambda _session: None)
        self._writer.add_file(QUEUE, copied)
        self._manifest.queue = True

    def _added(self, key: str) -> bool:
        """Add what a row names, unless it is in the backup; return whether it is there."""
        folder = keys.folder_of(key)
        if key in self._texts or folder in self._manifest.folders:
            return True
        if keys.guild_in(key) is None:
            return False  # a row of long ago names a path outside the data directory
        try:
            with self._here(key) as path, ExitStack() as opened:
                if path.is_file():
                    self._writer.add_file(f"{FILES}/{key}", path)
                    self._texts.add(key)
                    return True
                # All are opened before any is copied: from then on a deletion does no harm.
                files = sorted(each for each in path.iterdir() if each.is_file())
                sources = [(each.name, opened.enter_context(each.open("rb"))) for each in files]
                for name, source in sources:
                    self._writer.add(f"{FILES}/{folder}/{name}", source)
                self._manifest.folders[folder] = [name for name, _ in sources]
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def _here(self, key: str) -> Iterator[Path]:
        """Yield the path of a stored file or folder; the cache of the samplers is left alone."""
        if not self._storage.is_remote:
            with self._storage.lease(key) as path:
                yield path
            return
        with tempfile.TemporaryDirectory(dir=self._scratch) as scratch:
            path = Path(scratch) / "fetched"
            is_text = f"/{CORPORA}/" in key
            (self._storage.fetch_file if is_text else self._storage.fetch_folder)(key, path)
            yield path


def _named(session: Session) -> tuple[set[str], set[str]]:
    named, unfinished = retention.everything_named(session)
    return named, {keys.base_key(guild_id, job_id) for guild_id, job_id in unfinished}
