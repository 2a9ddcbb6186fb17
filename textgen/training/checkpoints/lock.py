"""A lock for one training per folder. The system releases it when the process ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from textgen.errors import TrainingError
from textgen.files.ownership import check_lock

_POLL_S = 0.2

_held: set[Path] = set()


def abandon() -> None:
    """Delete the lock files of this process, which is about to end in the middle of its work."""
    for path in list(_held):
        _delete(path)


@contextmanager
def exclusive(path: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Hold a lock file during the block, and delete it afterwards.

    Args:
        path: the lock file, which is created.
        wait_s: seconds to wait until another process releases it.

    Raises:
        TrainingError: another process holds it, another file has its name, or the folder cannot be written.
    """
    check_lock(path)
    lock = FileLock(path, timeout=wait_s, thread_local=False)
    try:
        # A previous holder may delete the file while it is being locked here; FileLock then opens a new one.
        lock.acquire(poll_interval=_POLL_S)
    except Timeout:
        raise TrainingError(
            f"another training is writing {path.with_suffix('')}; wait for it",
            advice=["choose another --output"],
        ) from None
    except OSError as error:
        raise TrainingError(f"{path.parent} cannot be written: {error.strerror}") from None
    _held.add(path)
    try:
        yield
    finally:
        _held.discard(path)
        _delete(path)
        lock.release()
        if os.name == "nt":
            # Windows deletes no file that is open. Elsewhere it could be the next training's by now.
            _delete(path)


def _delete(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
