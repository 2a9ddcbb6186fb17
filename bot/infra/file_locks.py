"""Locks on files, which the system releases when their process ends, however it ends."""

import fcntl
from pathlib import Path


def is_held(path: Path) -> bool:
    """Return whether a living process holds the lock on a file; False if there is no file."""
    try:
        with path.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
