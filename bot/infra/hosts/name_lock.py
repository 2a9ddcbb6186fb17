"""One process of a name on a data directory: a lock, which the system releases when the process ends."""

import fcntl
import os
from pathlib import Path
from typing import IO

from bot.settings import SettingsError


class NameLock:
    """The lock of a process's name.

    Args:
        path: path of the lock file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self.before = ""

    def claim(self, process_id: str) -> None:
        """Acquire the lock; `before` is then the id of the process that had it before, which is dead.

        Raises:
            SettingsError: a living process of the same name uses this data directory.
        """
        if self._file is not None:
            return
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder, _ = _read(file)
            file.close()
            raise SettingsError(
                f"process {holder or 'unknown'} already works on {self._path.parent} as “{self._path.stem}”: "
                "end it first, or give this one another PASTICHE_NAME"
            ) from None
        _, self.before = _read(file)
        file.truncate(0)
        file.write(f"{os.getpid()} {process_id}")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Release the lock."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _read(file: IO[str]) -> tuple[str, str]:
    """Return the process number and the process id in a lock file, each "" if it is not there."""
    file.seek(0)
    number, _, process_id = file.read().strip().partition(" ")
    return number, process_id
