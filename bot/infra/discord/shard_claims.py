"""Each shard has one process: a second one that wants to serve it does not start.

With PostgreSQL an advisory lock stands for each shard, with SQLite a locked file beside the database. The
system frees both when the process ends, however it ends.

A lost connection to PostgreSQL frees the locks too, while this process goes on. As long as the database is
away, nobody else can take them either, and what this process does for people needs the database, so it waits.
When the database is back, it takes the locks again. If another process was faster, this one stops: it must
not serve the same servers twice.
"""

import fcntl
import os
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import IO

import structlog

from bot.infra import file_locks
from bot.settings import SettingsError
from models import DatabaseError
from models.connection.advisory_locks import AdvisoryLocks
from models.connection.engine import parse_url

log = structlog.stdlib.get_logger(__name__)

CHECK_EVERY_S = 5.0
RETRY_EVERY_S = 1.0

_here: "dict[tuple[str, int, int], ShardClaims]" = {}


class ShardClaims:
    """The shards that this process has for itself; `claim` and `release` block.

    Args:
        database_url: where the locks are.
        on_lost: called from a thread, with the reason, when another process has taken a shard over.
    """

    def __init__(self, database_url: str, on_lost: Callable[[SettingsError], object]) -> None:
        self._url = parse_url(database_url)
        self._on_lost = on_lost
        self._locks: AdvisoryLocks | _FileLocks | None = None
        self._wanted: tuple[int, int, Collection[int]] = (0, 1, ())
        self._ended = threading.Event()
        self._watch: threading.Thread | None = None

    def claim(self, application_id: int, count: int, ids: Collection[int]) -> None:
        """Take the shards until `release`.

        Args:
            application_id: of the bot; another bot has other shards.
            count: the number of shards over all processes.
            ids: those to take.

        Raises:
            SettingsError: another process serves one of them, or divides the servers by another number.
            DatabaseError: the database cannot be used.
        """
        self._wanted = application_id, count, ids
        for shard_id in ids:  # a bot that this process gave up, without closing it, must not be in the way
            key = (str(self._url), application_id, shard_id)
            if key in _here and _here[key] is not self:
                _here[key].release()
            _here[key] = self
        self._take()
        if self._url.get_backend_name() == "postgresql":
            self._watch = threading.Thread(target=self._keep, name="shard claims", daemon=True)
            self._watch.start()

    def release(self) -> None:
        """Give the shards back."""
        self._ended.set()
        if self._watch is not None and self._watch is not threading.current_thread():
            self._watch.join()
        if self._locks is not None:
            self._locks.close()
            self._locks = None
        for key in [key for key, holder in _here.items() if holder is self]:
            del _here[key]

    def _take(self) -> None:
        application_id, count, ids = self._wanted
        locks: AdvisoryLocks | _FileLocks = (
            AdvisoryLocks(self._url)
            if self._url.get_backend_name() == "postgresql"
            else _FileLocks(Path(str(self._url.database)).absolute().parent)
        )
        name = f"{application_id} shard"
        try:
            others = locks.share(f"{application_id} shards", count)
            if others:
                raise SettingsError(
                    f"another process divides the servers by {others[0]} shards, this one by {count}: "
                    "PASTICHE_SHARDS must be the same number in all of them"
                )
            for shard_id in sorted(ids):
                if not locks.take(name, shard_id):
                    raise SettingsError(
                        f"{locks.holder(name, shard_id)} already serves shard {shard_id} of {count}: "
                        "end it first, or give this one other PASTICHE_SHARD_IDS"
                    )
        except BaseException:
            locks.close()
            raise
        self._locks = locks

    def _keep(self) -> None:
        while not self._ended.wait(CHECK_EVERY_S):
            assert self._locks is not None  # noqa: S101 -- only `release` takes it away, after this thread
            try:
                self._locks.check()
            except DatabaseError as error:
                log.warning("the shards are not held for now", error=str(error))
                if not self._taken_again():
                    return

    def _taken_again(self) -> bool:
        """Take the shards again once the database is back; False if this process must not serve them."""
        while not self._ended.wait(RETRY_EVERY_S):
            try:
                if self._locks is not None:
                    self._locks.close()
                    self._locks = None
                self._take()
            except DatabaseError:
                continue
            except SettingsError as error:
                self._on_lost(error)
                return False
            log.info("the shards are held again")
            return True
        return False


class _FileLocks:
    """Locked files in a folder, for processes of one host."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[IO[str]] = []

    def take(self, name: str, number: int) -> bool:
        file = self._open(f"{name} {number}")
        if not file_locks.try_lock(file):
            return False
        file_locks.say(file, str(os.getpid()))
        return True

    def share(self, name: str, number: int) -> list[int]:
        """Share the file; the first one writes its number into it."""
        file = self._open(name)
        if file_locks.try_lock(file):
            file_locks.say(file, str(number))
        fcntl.flock(file, fcntl.LOCK_SH)
        found = file_locks.content(file)
        return [] if found in ("", str(number)) else [int(found)]

    def holder(self, name: str, number: int) -> str:
        return f"process {file_locks.content(self._open(f'{name} {number}')) or 'unknown'}"

    def check(self) -> None:
        """A file stays locked."""

    def close(self) -> None:
        for file in self._files:
            file.close()

    def _open(self, name: str) -> IO[str]:
        file = (self._folder / f"{name.replace(' ', '-')}.lock").open("a+", encoding="utf-8")
        self._files.append(file)
        return file
