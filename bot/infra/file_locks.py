"""Locks on files, which the system releases when their process ends, however it ends.

A locked file also says who holds the lock.
"""

import fcntl
from pathlib import Path
from typing import IO


def try_lock(file: IO[str]) -> bool:
    """Lock an open file for this process alone; return False if another process holds a lock on it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def is_held(path: Path) -> bool:
    """Return whether a living process holds the lock on a file; False if there is no file."""
    try:
        with path.open("r+", encoding="utf-8") as file:
            return not try_lock(file)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def content(file: IO[str]) -> str:
    """Return what a file opened with "a+" says."""
    file.seek(0)
    return file.read().strip()


def say(file: IO[str], text: str) -> None:
    """Replace what a file opened with "a+" says; other processes read it at once."""
    file.truncate(0)
    file.write(text)
    file.flush()
