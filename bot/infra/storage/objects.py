"""An S3-like storage: a file is the object of its key, a folder the zip `KEY/SHA256.zip`.

What samplers read is unpacked into a cache (`bot.infra.storage.cache`). What trainings need is fetched into
their own folders, so that a worker keeps nothing of a server when a training has ended.
"""

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import structlog

from bot.infra.paths import CORPORA, GUILDS, JOBS, MODELS, Layout
from bot.infra.storage import keys, packing
from bot.infra.storage.bucket import Bucket
from bot.infra.storage.cache import Cache
from bot.infra.storage.errors import Damaged, StorageError
from bot.infra.storage.folder import remove
from bot.infra.storage.storage import Storage

log = structlog.stdlib.get_logger(__name__)

MARK = "pastiche.installation"
PROBES = "probes"
# Largest file that `read` returns: a picture of some hundred kilobytes.
SMALL_FILE = 8 << 20
_ZIP = "packed.zip"


class ObjectStorage(Storage):
    """Files lie in an S3-like storage, and hosts share nothing else.

    Args:
        layout: paths of the data directory of this host.
        bucket: the storage.
        cache: for what samplers read.
    """

    is_remote: ClassVar[bool] = True

    def __init__(self, layout: Layout, bucket: Bucket, cache: Cache) -> None:
        super().__init__(layout)
        self.bucket, self.cache = bucket, cache

    @property
    def shown(self) -> str:
        """The address, without credentials."""
        return self.bucket.shown

    def prepare(self, installation: str) -> None:
        """Write, read and delete an object, and check whose storage it is."""
        key, content = f"{PROBES}/{secrets.token_hex(8)}", secrets.token_bytes(32)
        self.bucket.write(key, content)
        found = self.bucket.read(key, SMALL_FILE)
        self.bucket.delete(key)
        if found != content:
            raise StorageError(f"{self.shown}: an object that was written was read back as something else")
        if not self.bucket.create(MARK, installation.encode()):
            owner = (self.bucket.read(MARK, SMALL_FILE) or b"").decode(errors="replace")
            if owner != installation:
                raise StorageError(
                    f"{self.shown}: it belongs to another database, made {owner[:40]} "
                    f"(this one: {installation}): name the database that it belongs to, or another prefix"
                )
        self.cache.clear_unfinished()

    def ready(self) -> None:
        """Read the object that says whose storage it is."""
        if self.bucket.read(MARK, SMALL_FILE) is None:
            raise StorageError(f"{self.shown}: the object {MARK} is gone: was the bucket emptied?")

    def store_file(self, path: Path, key: str) -> None:
        """Upload the file."""
        self.bucket.write(key, path)

    def settle(self, upload: Path, key: str) -> None:
        """Upload the file again if the same text was deleted since; drop the local one."""
        if not upload.exists():
            raise FileNotFoundError(upload)
        if self.bucket.find(key) is None:
            self.bucket.write(key, upload)
        upload.unlink(missing_ok=True)

    def fetch_file(self, key: str, target: Path) -> None:
        """Download the file, and compare its hash with that in the key."""
        if target.exists():
            return
        partial = target.with_name(f".{target.name}.partial")
        self.bucket.download(key, partial, sha256=keys.sha256_in(key))
        partial.replace(target)

    def store_folder(self, folder: Path, key: str) -> str:
        """Upload a zip of the folder, named by its hash."""
        with self._scratch() as scratch:
            packed = keys.packed_key(key, packing.pack(folder, scratch / _ZIP))
            self.bucket.write(packed, scratch / _ZIP)
        return packed

    def fetch_folder(self, key: str, target: Path) -> None:
        """Download a zip, compare its hash with that in the key, and unpack it."""
        if target.is_dir():
            return
        with self._scratch() as scratch:
            self._unpack(self._packed(key), scratch / "files")
            target.parent.mkdir(parents=True, exist_ok=True)
            (scratch / "files").rename(target)

    def copy_folder(self, key: str, to: str) -> None:
        """Copy the zip within the storage."""
        packed = self._packed(key)
        self.bucket.copy(packed, f"{to}/{packed.rpartition('/')[2]}")

    @contextlib.contextmanager
    def lease(self, key: str) -> Iterator[Path]:
        """Yield the path in the cache, into which it is downloaded first."""
        name = key.rpartition("/")[2]
        if keys.is_packed(key):
            with self.cache.lease(key, lambda part: self._unpack(key, part)) as entry:
                yield entry
            return
        if keys.sha256_in(key) is None:
            raise FileNotFoundError(2, "it is not in the storage", key)
        with self.cache.lease(key, lambda part: self.fetch_file(key, part / name)) as entry:
            yield entry / name

    def read(self, key: str) -> bytes | None:
        """Read the object."""
        return self.bucket.read(key, SMALL_FILE)

    def size(self, key: str) -> int:
        """Ask the storage."""
        stored = self.bucket.find(key)
        return stored.size if stored else 0

    def sizes(self, guild_id: int) -> Mapping[str, int]:
        """Add up all objects of the guild."""
        sizes = dict.fromkeys((CORPORA, MODELS, JOBS), 0)
        for stored in self.bucket.listing(f"{GUILDS}/{guild_id}"):
            kind = stored.key.split("/")[2]
            if kind in sizes:
                sizes[kind] += stored.size
        return sizes

    def delete(self, key: str) -> None:
        """Delete the object, or those of the folder, and what this host has of them."""
        folder = keys.folder_of(key)
        remove(self.layout.located(folder))
        self.cache.forget(folder)
        if not keys.is_packed(key):
            self.bucket.delete(key)
        for stored in list(self.bucket.listing(folder)):
            self.bucket.delete(stored.key)

    def drop_copy(self, path: Path) -> None:
        """Delete the copy."""
        remove(path)

    def _packed(self, key: str) -> str:
        """Return the key of the zip of a folder; of several the newest.

        Raises:
            FileNotFoundError: there is none.
        """
        if keys.is_packed(key):
            return key
        found = [each for each in self.bucket.listing(key) if keys.folder_of(each.key) == key]
        zips = [each for each in found if keys.is_packed(each.key)]
        if not zips:
            raise FileNotFoundError(2, "it is not in the storage", key)
        return max(zips, key=lambda each: each.changed_at).key

    def _unpack(self, key: str, folder: Path) -> None:
        """Download a zip and unpack it; if that fails, the folder may hold a part of its files."""
        with self._scratch() as scratch:
            self.bucket.download(key, scratch / _ZIP, sha256=keys.sha256_in(key))
            try:
                packing.unpack(scratch / _ZIP, folder)
            except packing.NotAFolder as error:
                raise Damaged(f"{self.shown}: {key} cannot be unpacked: {error}") from None

    @contextlib.contextmanager
    def _scratch(self) -> Iterator[Path]:
        """Yield a folder on the disk of the data directory, so that files can be renamed from it."""
        parent = self.layout.home / "tmp"  # what a killed process leaves there is swept
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with TemporaryDirectory(dir=parent, prefix="storage-") as folder:
            yield Path(folder)
