"""One process of a name on a data directory: a lock, which the system releases when the process ends."""

import os
from pathlib import Path
from typing import IO

from bot.infra import file_locks
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
        is_ours = file_locks.try_lock(file)
        number, _, id_before = file_locks.content(file).partition(" ")
        if not is_ours:
            file.close()
            raise SettingsError(
                f"process {number or 'unknown'} already works on {self._path.parent} as “{self._path.stem}”: "
                "end it first, or give this one another PASTICHE_NAME"
            )
        file_locks.say(file, f"{os.getpid()} {process_id}")
        self._file, self.before = file, id_before

    def release(self) -> None:
        """Release the lock."""
        if self._file is not None:
            self._file.close()
            self._file = None
