"""Keeps what a training has reached where another host finds it: its checkpoints, and the bundle at its end.

Where hosts share the data directory there is nothing to do: the trainer writes to it.
"""

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import structlog

from bot.infra.storage import keys
from bot.infra.storage.objects import ObjectStorage
from bot.infra.storage.storage import Storage
from bot.infra.threads import follower
from bot.training.trainer.process import TrainingOrder, checkpoint_of
from bot.training.trainer.workspace import OWN_VERSION, STATE
from models import TrainingJob
from textgen.files.atomic import write_bytes
from textgen.files.bundle_files import PICTURE

log = structlog.stdlib.get_logger(__name__)

LOOK_EVERY_S = 1.0
# A checkpoint may be as large as several models, so storing takes at most a part of the time.
STORE_EVERY_S = 10.0
PAUSE_FACTOR = 5.0


def store_bundle(storage: Storage, bundle: Path, key: str) -> str:
    """Store a finished bundle, and its loss curve beside it for the card; return the key for the row.

    Raises:
        StorageError: it could not be stored.
    """
    stored = storage.store_folder(bundle, key)
    if storage.is_remote and (bundle / PICTURE).exists():
        storage.store_file(bundle / PICTURE, f"{key}/{PICTURE}")
    return stored


def bring_back(storage: Storage, order: TrainingOrder, job: TrainingJob) -> None:
    """Fetch the stored checkpoint of the latest attempt, unless this host has that one or a later one.

    Raises:
        StorageError: it could not be read.
        OSError: the disk is full.
    """
    if not isinstance(storage, ObjectStorage):
        return
    for attempt in range(job.attempt, -1, -1):
        key = f"{keys.checkpoint_key(job.guild_id, job.id, attempt)}/{STATE}"
        stored = storage.bucket.find(key)
        if stored is not None:
            break
    else:
        return
    folder, version = checkpoint_of(order.bundle), stored.changed_at.isoformat()
    if _own_version(order) == version and (folder / STATE).exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    storage.fetch_file(key, folder / STATE)
    write_bytes(order.directory / OWN_VERSION, version.encode(), durable=False)
    log.info("checkpoint of another host fetched", guild=job.guild_id, job=job.id, attempt=attempt)


@contextlib.contextmanager
def kept(storage: Storage, order: TrainingOrder, job: TrainingJob) -> Iterator[None]:
    """Store the checkpoints of an attempt while it runs; the newest one too when it is interrupted.

    Each attempt has keys of its own: one that was frozen and wakes overwrites nothing of its successor's.
    """
    if not isinstance(storage, ObjectStorage):
        yield
        return
    keeper = _Keeper(storage, order, keys.checkpoint_key(job.guild_id, job.id, job.attempt))
    thread = follower("checkpoints", keeper.run)
    thread.start()
    try:
        yield
    finally:
        keeper.ended.set()
        thread.join()


class _Keeper:
    def __init__(self, storage: ObjectStorage, order: TrainingOrder, key: str) -> None:
        self._storage, self._order, self._key = storage, order, key
        self._folder = checkpoint_of(order.bundle)
        self._stored = self._written()
        self.ended = threading.Event()

    def run(self) -> None:
        """Store each new checkpoint until the training has ended."""
        next_at = time.monotonic() + STORE_EVERY_S
        while not self.ended.wait(LOOK_EVERY_S):
            if time.monotonic() >= next_at:
                begun = time.monotonic()
                self._store_newest()
                took_s = time.monotonic() - begun
                next_at = time.monotonic() + max(STORE_EVERY_S, PAUSE_FACTOR * took_s)
        if not self._order.bundle.is_dir():
            self._store_newest()

    def _store_newest(self) -> None:
        written = self._written()
        if written in (0, self._stored):
            return
        try:
            # A later checkpoint replaces the file by another one: an open file stays what it was.
            self._storage.store_file(self._folder / STATE, f"{self._key}/{STATE}")
            stored = self._storage.bucket.find(f"{self._key}/{STATE}")
            if (self._folder / PICTURE).exists():
                self._storage.store_file(self._folder / PICTURE, f"{self._key}/{PICTURE}")
            if stored is not None:
                version = stored.changed_at.isoformat().encode()
                write_bytes(self._order.directory / OWN_VERSION, version, durable=False)
        except FileNotFoundError:  # the trainer has just ended
            return
        except OSError as error:  # the training goes on; the next checkpoint is tried again
            log.warning("checkpoint not stored", key=self._key, reason=str(error))
            return
        self._stored = written

    def _written(self) -> int:
        try:
            return (self._folder / STATE).stat().st_mtime_ns
        except OSError:
            return 0


def _own_version(order: TrainingOrder) -> str:
    try:
        return (order.directory / OWN_VERSION).read_text(encoding="utf-8")
    except OSError:
        return ""
