"""What both kinds of storage offer. Every method blocks, so call it from a worker thread.

Keys are those of `bot.infra.storage.keys`. `store_…` comes before the transaction that inserts the row, so
that whatever a row names is there; `settle` stands in that transaction, which holds the guild's lock.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar

import structlog

from bot.infra.paths import Layout
from bot.infra.storage.errors import StorageError

log = structlog.stdlib.get_logger(__name__)


class Storage(ABC):
    """The texts, bundles and checkpoints of all servers.

    Attributes:
        layout: paths of the data directory, where uploads are read and models are trained in any case.
    """

    is_remote: ClassVar[bool]
    """Whether files of the data directory are only copies of what is stored elsewhere."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    @property
    @abstractmethod
    def shown(self) -> str:
        """What people call this storage; it contains no credentials."""

    @abstractmethod
    def prepare(self, installation: str) -> None:
        """Check at the start that an object can be written, read and deleted.

        Args:
            installation: what identifies the database, whose files alone are in a storage.

        Raises:
            StorageError: with what was found and what to do.
        """

    @abstractmethod
    def ready(self) -> None:
        """Check that the storage answers; for health checks.

        Raises:
            StorageError: it does not.
        """

    @abstractmethod
    def store_file(self, path: Path, key: str) -> None:
        """Store a file ahead of the transaction that names it; the file stays.

        Raises:
            StorageError: it could not be stored.
        """

    @abstractmethod
    def settle(self, upload: Path, key: str) -> None:
        """Keep a stored file for good; the upload may be gone afterwards.

        Raises:
            FileNotFoundError: the upload was deleted in the meantime.
            StorageError: it could not be stored.
        """

    @abstractmethod
    def fetch_file(self, key: str, target: Path) -> None:
        """Put a stored file at a path; a file that is there already stays.

        Raises:
            FileNotFoundError: it is not stored.
            StorageError: it could not be read.
        """

    @abstractmethod
    def store_folder(self, folder: Path, key: str) -> str:
        """Store a folder of plain files; the folder stays.

        Args:
            folder: path of the folder.
            key: of the folder.

        Returns:
            The key for the row.

        Raises:
            StorageError: it could not be stored.
        """

    @abstractmethod
    def fetch_folder(self, key: str, target: Path) -> None:
        """Put a stored folder at a path; a folder that is there already stays.

        Args:
            key: from a row, or the folder's own.
            target: path of the folder.

        Raises:
            FileNotFoundError: it is not stored.
            StorageError: it could not be read.
        """

    @abstractmethod
    def copy_folder(self, key: str, to: str) -> None:
        """Copy a stored folder, because the row that names it may change.

        Raises:
            FileNotFoundError: it is not stored.
            StorageError: it could not be copied.
        """

    @abstractmethod
    def lease(self, key: str) -> AbstractContextManager[Path]:
        """Yield the local path of a stored file or folder, which stays there until the end.

        Raises:
            FileNotFoundError: it is not stored.
            StorageError: it could not be read.
        """

    @abstractmethod
    def read(self, key: str) -> bytes | None:
        """Return the content of a small file; None if it is not stored.

        Raises:
            StorageError: it could not be read.
        """

    @abstractmethod
    def size(self, key: str) -> int:
        """Return the size of a stored file in bytes; 0 if it is not stored.

        Raises:
            StorageError: it could not be asked for.
        """

    @abstractmethod
    def sizes(self, guild_id: int) -> Mapping[str, int]:
        """Return how many bytes a guild has stored of each kind (`CORPORA`, `MODELS`, `JOBS`).

        Raises:
            StorageError: it could not be asked for.
        """

    def strays(self, guild_id: int) -> Iterable[str]:
        """Return the keys of files that this host has in a guild's folders, whether rows name them or not.

        What rows do not name is deleted with the rest. In an S3-like storage the sweep finds such objects.
        """
        return [
            str(path.relative_to(self.layout.data_dir)) for path in self.layout.guild(guild_id).glob("*/*")
        ]

    @abstractmethod
    def delete(self, key: str) -> None:
        """Delete a file or a folder, with all its copies here; it need not be stored.

        Raises:
            StorageError: it could not be deleted.
        """

    def discard(self, key: str) -> None:
        """Delete what no row names any more. If that fails now, the sweep does it within a day."""
        try:
            self.delete(key)
        except StorageError as error:
            log.warning("a file without a row is not deleted yet", key=key, reason=str(error))

    @abstractmethod
    def drop_copy(self, path: Path) -> None:
        """Delete a file or folder of the data directory if it is only a copy."""
