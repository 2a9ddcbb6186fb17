"""A lock for one training per folder. The system releases it when the process ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textgen.errors import TrainingError
from textgen.files.ownership import check_lock

_held: set[Path] = set()


def abandon() -> None:
    """Delete the lock files of this process, which is about to end in the middle of its work."""
    for path in list(_held):
        path.unlink(missing_ok=True)


@contextmanager
def exclusive(path: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Hold a lock file during the block, and delete it afterwards.

    Args:
        path: the lock file, which is created.
        wait_s: seconds to wait until another process releases it.

    Raises:
        TrainingError: another process holds it, another file has its name, or the folder cannot be written.
    """
    deadline = time.monotonic() + wait_s
    while True:
        check_lock(path)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            raise TrainingError(f"{path.parent} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The previous holder may have deleted the file after it was opened here and before it was locked.
            if path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino:
                break
            os.close(descriptor)
        except BlockingIOError:
            os.close(descriptor)
            if time.monotonic() >= deadline:
                raise TrainingError(
                    f"another training is writing {path.with_suffix('')}; wait for it",
                    advice=["choose another --output"],
                ) from None
            time.sleep(0.2)
    _held.add(path)
    try:
        yield
    finally:
        _held.discard(path)
        path.unlink(missing_ok=True)
        os.close(descriptor)
