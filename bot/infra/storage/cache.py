"""Local copies of what lies in an S3-like storage, for the samplers: complete, bounded, shared by processes.

An entry is a folder that was renamed into place when it was complete. Whoever uses an entry holds a shared
lock on it; whoever deletes one needs it alone, and skips an entry that is in use. So several processes may
use one cache. Entries are never changed: a key names one content.
"""

import contextlib
import fcntl
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import structlog

from bot.infra.storage.folder import changed_at

log = structlog.stdlib.get_logger(__name__)

PART = ".part"
# What a killed process left is deleted when nobody has written to it for so long.
LEFT_AFTER_S = 3600.0
BRIEFLY_S = 0.01
_SEPARATOR = "_"


class Cache:
    """A folder of entries, the least recently used of which are deleted. Every method blocks.

    Args:
        folder: of the entries; it is created.
        limit: bytes that all entries may take together. Entries in use count, but are never deleted.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._lock = threading.Lock()
        self._filling: dict[str, threading.Lock] = {}

    @contextlib.contextmanager
    def lease(self, key: str, fill: Callable[[Path], None]) -> Iterator[Path]:
        """Yield the folder of an entry, which nobody deletes meanwhile.

        Args:
            key: of the entry; it contains no underscore.
            fill: writes the content into a new folder, if there is no such entry yet.
        """
        entry = self._folder / key.replace("/", _SEPARATOR)
        filled = False
        while (held := _locked(entry, fcntl.LOCK_SH)) is None:
            with self._one_at_a_time(entry.name):
                if entry.is_dir():
                    time.sleep(BRIEFLY_S)  # it is being deleted, or has just been filled
                else:
                    self._fill(entry, fill)
                    filled = True
        try:
            with contextlib.suppress(OSError):
                os.utime(entry)
            yield entry
        finally:
            os.close(held)
            if filled:
                self.shrink()

    def forget(self, key: str) -> None:
        """Delete the entries of a key, or below it, as far as they are not in use."""
        name = key.replace("/", _SEPARATOR)
        for entry in self._entries():
            if entry.name == name or entry.name.startswith(name + _SEPARATOR):
                _delete(entry)

    def listing(self) -> list[str]:
        """Return the keys of all entries."""
        return [entry.name.replace(_SEPARATOR, "/") for entry in self._entries()]

    def shrink(self) -> None:
        """Delete the entries that were not used for the longest time, until the rest is within the limit."""
        entries = sorted(self._measured(), reverse=True)
        total = sum(size for _, size, _ in entries)
        while total > self._limit and entries:
            _, size, entry = entries.pop()
            if _delete(entry):
                log.debug("cache: entry deleted", entry=entry.name, bytes=size)
                total -= size

    def clear_unfinished(self) -> None:
        """Delete what killed processes left."""
        for path in self._folder.glob(f".*{PART}"):
            if time.time() - changed_at(path) > LEFT_AFTER_S:
                shutil.rmtree(path, ignore_errors=True)

    def _fill(self, entry: Path, fill: Callable[[Path], None]) -> None:
        part = self._folder / f".{uuid4().hex}{PART}"
        part.mkdir(parents=True)
        try:
            fill(part)
            try:
                part.rename(entry)
            except OSError:
                if not entry.is_dir():  # else another process was quicker
                    raise
        finally:
            shutil.rmtree(part, ignore_errors=True)

    @contextlib.contextmanager
    def _one_at_a_time(self, name: str) -> Iterator[None]:
        """Let one thread fill an entry; the others wait and find it there."""
        with self._lock:
            lock = self._filling.setdefault(name, threading.Lock())
        with lock:
            try:
                yield
            finally:
                with self._lock:
                    self._filling.pop(name, None)

    def _entries(self) -> list[Path]:
        try:
            return [path for path in self._folder.iterdir() if not path.name.startswith(".")]
        except OSError:
            return []

    def _measured(self) -> Iterator[tuple[float, int, Path]]:
        for entry in self._entries():
            with contextlib.suppress(OSError):  # another process deletes it
                size = sum(path.stat().st_size for path in entry.iterdir())
                yield entry.stat().st_mtime, size, entry


def _locked(entry: Path, kind: int) -> int | None:
    """Lock an entry, and return the open descriptor; None if there is none, or it is in use."""
    try:
        descriptor = os.open(entry, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    with contextlib.suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        # Somebody may have deleted it between the two calls, and another one may have its name.
        if os.path.samestat(os.fstat(descriptor), entry.stat()):
            return descriptor
    os.close(descriptor)
    return None


def _delete(entry: Path) -> bool:
    """Delete an entry unless it is in use; return whether it is gone."""
    descriptor = _locked(entry, fcntl.LOCK_EX)
    if descriptor is None:
        return not entry.exists()
    try:
        # Under a name that nobody looks for, so that no half of it is ever seen.
        gone = entry.with_name(f".{uuid4().hex}{PART}")
        entry.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
    finally:
        os.close(descriptor)
    return True
