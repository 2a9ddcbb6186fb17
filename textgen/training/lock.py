"""One trainer a folder: a lock that the system takes back when its holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textgen.errors import TrainingError


@contextmanager
def exclusive(path: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Hold a lock file while the block runs, and remove it afterwards.

    Args:
        path: the lock file; it is made.
        wait_s: seconds to wait for another holder.

    Raises:
        TrainingError: another process holds it, or the folder cannot be written.
    """
    deadline = time.monotonic() + wait_s
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise TrainingError(f"{path.parent} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The holder before us may have removed the file between our open and our lock.
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
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)
