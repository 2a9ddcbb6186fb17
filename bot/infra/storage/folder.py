"""The data directory as the storage: keys are paths in it, and nothing is copied."""

import contextlib
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from bot.infra.paths import CORPORA, JOBS, MODELS
from bot.infra.storage.errors import StorageError
from bot.infra.storage.storage import Storage


class FolderStorage(Storage):
    """Files lie in the data directory, which bot and workers share."""

    is_remote: ClassVar[bool] = False

    @property
    def shown(self) -> str:
        """The data directory."""
        return str(self.layout.data_dir)

    def prepare(self, installation: str) -> None:
        """Do nothing: `Settings.prepare_data_dir` has written to the directory."""
        del installation

    def ready(self) -> None:
        """Check that the data directory can be written to."""
        folder = self.layout.data_dir
        if not os.access(folder, os.W_OK | os.X_OK):
            reason = "it is not writable" if folder.is_dir() else "it is gone"
            raise StorageError(f"the data directory {folder} cannot be used ({reason})")

    def store_file(self, path: Path, key: str) -> None:
        """Do nothing: the upload lies beside its final place, and `settle` renames it."""
        del path, key

    def settle(self, upload: Path, key: str) -> None:
        """Move the upload to its final place."""
        upload.replace(self._at(key))

    def fetch_file(self, key: str, target: Path) -> None:
        """Link the file to another path, or copy it if links do not work."""
        link_or_copy(self._at(key), target)

    def store_folder(self, folder: Path, key: str) -> str:
        """Return the key: the folder was made at its place."""
        del folder
        return key

    def fetch_folder(self, key: str, target: Path) -> None:
        """Link or copy the files of a folder, unless it is its own target."""
        source = self._at(key)
        if source == target:
            if not source.is_dir():
                raise FileNotFoundError(source)
            return
        files = [path for path in source.iterdir() if path.is_file()]
        target.mkdir(parents=True, exist_ok=True)
        for file in files:
            link_or_copy(file, target / file.name)

    def copy_folder(self, key: str, to: str) -> None:
        """Link or copy the files of a folder to a new one."""
        target = self._at(to)
        try:
            self.fetch_folder(key, target)
        except OSError:
            shutil.rmtree(target, ignore_errors=True)
            raise

    @contextlib.contextmanager
    def lease(self, key: str) -> Iterator[Path]:
        """Yield the path itself."""
        yield self._at(key)

    def read(self, key: str) -> bytes | None:
        """Read the file."""
        try:
            return self._at(key).read_bytes()
        except OSError:
            return None

    def size(self, key: str) -> int:
        """Ask the file system."""
        return _size(self._at(key))

    def sizes(self, guild_id: int) -> Mapping[str, int]:
        """Add up all files below the guild's folders."""
        folder = self.layout.guild(guild_id)
        return {
            kind: sum(_size(path) for path in (folder / kind).rglob("*") if path.is_file())
            for kind in (CORPORA, MODELS, JOBS)
        }

    def delete(self, key: str) -> None:
        """Delete the file or folder."""
        remove(self._at(key))

    def drop_copy(self, path: Path) -> None:
        """Do nothing: files are no copies."""
        del path

    def _at(self, key: str) -> Path:
        return self.layout.located(key)


def link_or_copy(source: Path, target: Path) -> None:
    """Link a file to another name, or copy it if links do not work. A file that is there already stays.

    Raises:
        OSError: the file does not exist, or the disk is full.
    """
    if target.exists():
        return
    try:
        os.link(source, target)
    except OSError:
        partial = target.with_suffix(".partial")
        shutil.copyfile(source, partial)
        partial.replace(target)


def remove(path: Path) -> None:
    """Delete a file, a folder or a link; it need not be there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def changed_at(path: Path) -> float:
    """Return when a file or anything in a folder last changed, in Unix seconds.

    It is infinite if the folder is changing now.
    """
    try:
        return max(each.lstat().st_mtime for each in (path, *path.rglob("*")))
    except OSError:
        return math.inf


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
