"""A disk whose n-th change below a folder fails: making, opening, writing, flushing and renaming files.

A training changes files by Python's own functions alone, so this sees every change.
"""

from __future__ import annotations

import builtins
import errno
import io
import mmap
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

_CHANGES = ("mkdir", "rename", "replace", "link", "symlink", "truncate")


class FaultyDisk:
    """Counts changes, and lets one or all from one on fail.

    Args:
        folder: below which it counts.
        fails_at: the number of the change, from 1; 0 for none.
        error: ENOSPC stays, as a full disk does; any other strikes once.
    """

    def __init__(self, folder: Path, fails_at: int, error: int = errno.ENOSPC) -> None:
        self._folder, self._fails_at, self._error = str(folder), fails_at, error
        # Shared with the processes that are forked off this one.
        self._counter = mmap.mmap(-1, 8)

    @property
    def changes(self) -> int:
        """How many changes there were."""
        return int.from_bytes(self._counter[:], "little")

    def install(self) -> None:
        """Stand between this process and the disk from now on."""
        real_open, real_fsync, real_os_open = io.open, os.fsync, os.open

        def opened(file: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
            if isinstance(file, int) or not set(mode) & set("wax+") or not self._below(file):
                return real_open(file, mode, *rest, **more)
            self.change()
            raw = _FaultyFile(os.fspath(file), mode.replace("b", "").replace("t", ""), disk=self)
            buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            if "b" in mode:
                return buffered
            return io.TextIOWrapper(buffered, encoding=more.get("encoding"), newline=more.get("newline"))

        def os_open(path: Any, flags: int, *rest: Any, **more: Any) -> int:
            if flags & os.O_CREAT and self._below(path):
                self.change()
            return real_os_open(path, flags, *rest, **more)

        def fsync(descriptor: int) -> None:
            if self._below(Path(f"/proc/self/fd/{descriptor}").readlink()):
                self.change()
            real_fsync(descriptor)

        io.open = builtins.open = opened  # type: ignore[assignment]
        os.open, os.fsync = os_open, fsync  # type: ignore[assignment]
        for name in _CHANGES:
            setattr(os, name, self._counted(getattr(os, name)))

    def change(self) -> None:
        """Count one, or let it fail.

        Raises:
            OSError: it is its turn.
        """
        number = self.changes + 1
        self._counter[:] = number.to_bytes(8, "little")
        full = self._error == errno.ENOSPC and number > self._fails_at > 0
        if number == self._fails_at or full:
            raise OSError(self._error, os.strerror(self._error))

    def _below(self, path: Any) -> bool:
        return os.path.abspath(os.fspath(path)).startswith(self._folder)  # noqa: PTH100 -- it is called often

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(path: Any, *rest: Any, **more: Any) -> Any:
            # Renaming needs no room, and so a full disk does not refuse it.
            if not isinstance(path, int) and self._below(path) and not self._full_and(real.__name__):
                self.change()
            return real(path, *rest, **more)

        return called

    def _full_and(self, name: str) -> bool:
        return self._error == errno.ENOSPC and name in ("rename", "replace")


class _FaultyFile(io.FileIO):
    """A file whose writes are counted; the one that fails writes half of its bytes before."""

    def __init__(self, path: str, mode: str, *, disk: FaultyDisk) -> None:
        super().__init__(path, mode)
        self._disk = disk

    def write(self, data: Any, /) -> int:
        """Write, if the disk does."""
        try:
            self._disk.change()
        except OSError:
            super().write(memoryview(data)[: len(data) // 2])
            raise
        return super().write(data)
