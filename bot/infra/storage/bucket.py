"""An S3-like storage behind a few calls that block, each with a time limit and with retries that end.

Knows nothing of servers, texts or bundles.
"""

import datetime
import functools
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog

from bot.infra.storage.address import Address
from bot.infra.storage.errors import Damaged, StorageError, explained
from bot.settings import Settings

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ClientConfig, S3Config, S3Store

log = structlog.stdlib.get_logger(__name__)

Result = TypeVar("Result")

# Retries end after so many seconds; a call that has begun may take its own time on top. Short calls stand in
# transactions: another writer of SQLite waits 15 s for one.
PATIENCE_S = 20.0
SHORT_PATIENCE_S = 5.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 3.0
CONNECT_S = 4
SMALL_S = 6
LARGE_S = 180
SILENCE_S = 20
PART_BYTES = 16 << 20
AT_ONCE = 2
PIECE_BYTES = 4 << 20
PAGE = 1000


@dataclass(frozen=True)
class Stored:
    """An object of the storage.

    Attributes:
        key: its key, without the prefix of the address.
        size: in bytes.
        changed_at: when it was written (aware).
    """

    key: str
    size: int
    changed_at: datetime.datetime


class Bucket:
    """The objects below one prefix. Every method blocks, and may be called from any thread.

    Args:
        address: of the storage.
        settings: hold the credentials.
    """

    def __init__(self, address: Address, settings: Settings) -> None:
        self._address = address
        self._small = _store(address, settings, SMALL_S)
        # A call that transfers a large object may take longer than one that only asks.
        self._large = _store(address, settings, LARGE_S)

    @property
    def shown(self) -> str:
        """The address, without credentials."""
        return self._address.shown

    def write(self, key: str, data: bytes | Path) -> None:
        """Write an object: all of it, or nothing.

        Raises:
            StorageError: it could not be written.
            OSError: the file cannot be read.
        """
        large = isinstance(data, Path) and data.stat().st_size > PIECE_BYTES
        store = self._large if large else self._small
        self._tried(lambda: store.put(key, data, chunk_size=PART_BYTES, max_concurrency=AT_ONCE), absent=None)

    def create(self, key: str, data: bytes) -> bool:
        """Write an object unless there is one of that key; return whether it was written.

        Raises:
            StorageError: it could not be written.
        """
        from obstore.exceptions import AlreadyExistsError

        def put() -> bool:
            try:
                self._small.put(key, data, mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
            return True

        return self._tried(put, absent=None)

    def read(self, key: str, limit: int) -> bytes | None:
        """Return the content of a small object; None if there is none.

        Raises:
            StorageError: it could not be read, or has more than `limit` bytes.
        """

        def get() -> bytes | None:
            found = self._small.get(key)
            if found.meta["size"] > limit:
                raise StorageError(f"{self.shown}: {key} is larger than {limit} bytes")
            return bytes(found.bytes())

        return self._tried(get, absent=lambda: None, short=True)

    def download(self, key: str, target: Path, *, sha256: str | None = None) -> None:
        """Write an object to a new file, and check its hash.

        Args:
            key: of the object.
            target: path of the file; it is complete or absent afterwards.
            sha256: what its hash must be, in hexadecimal; None: not checked.

        Raises:
            FileNotFoundError: there is no such object.
            Damaged: its hash is another one.
            StorageError: it could not be read.
            OSError: the file cannot be written.
        """

        def get() -> str:
            digest = hashlib.sha256()
            with target.open("wb") as file:
                for piece in self._large.get(key).stream(min_chunk_size=PIECE_BYTES):
                    digest.update(piece)
                    file.write(piece)
            return digest.hexdigest()

        try:
            found = self._tried(get, absent=_absent(key))
            if sha256 not in (None, found):
                raise Damaged(f"{self.shown}: {key} is damaged: its SHA-256 is {found}")
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def copy(self, key: str, to: str) -> None:
        """Copy an object within the storage.

        Raises:
            FileNotFoundError: there is no such object.
            StorageError: it could not be copied.
        """
        self._tried(lambda: self._small.copy(key, to), absent=_absent(key), short=True)

    def find(self, key: str) -> Stored | None:
        """Return what is known of an object; None if there is none.

        Raises:
            StorageError: it could not be asked for.
        """

        def head() -> Stored | None:
            found = self._small.head(key)
            return Stored(key, found["size"], found["last_modified"])

        return self._tried(head, absent=lambda: None, short=True)

    def listing(self, folder: str = "") -> Iterator[Stored]:
        """Yield the objects whose keys begin with a folder, some hundred at a time.

        Raises:
            StorageError: they could not be listed.
        """
        last: str | None = None
        while True:
            # Each page is asked for anew: a broken stream would end as if there were no more.
            page: Sequence[ObjectMeta] = self._tried(
                functools.partial(self._page, folder, last), absent=tuple
            )
            if not page:
                return
            for each in page:
                yield Stored(each["path"], each["size"], each["last_modified"])
            last = page[-1]["path"]

    def _page(self, folder: str, after: str | None) -> "Sequence[ObjectMeta]":
        return next(self._small.list(folder or None, offset=after, chunk_size=PAGE), [])

    def delete(self, key: str) -> None:
        """Delete an object; there need not be one.

        Raises:
            StorageError: it could not be deleted.
        """
        self._tried(lambda: self._small.delete(key), absent=lambda: None, short=True)

    def _tried(
        self, call: Callable[[], Result], *, absent: Callable[[], Result] | None, short: bool = False
    ) -> Result:
        """Call, and again after a passing error.

        Args:
            call: what to do; it must have the same effect when it is done twice.
            absent: what to return if the object does not exist; None: that is an error of the storage.
            short: whether somebody waits who must not wait for long.
        """
        from obstore.exceptions import BaseError

        end, wait_s = time.monotonic() + (SHORT_PATIENCE_S if short else PATIENCE_S), FIRST_WAIT_S
        while True:
            try:
                return call()
            except (FileNotFoundError, BaseError) as error:
                told = explained(self.shown, self._address.bucket, error)
                missing = isinstance(error, FileNotFoundError) and "NoSuchBucket" not in str(error)
            if missing and absent is not None:
                return absent()
            if not told.passing or time.monotonic() + wait_s > end:
                raise told
            log.warning("storage: trying again", reason=str(told), next_try_s=wait_s)
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)


def _absent(key: str) -> Callable[[], None]:
    def fail() -> None:
        raise FileNotFoundError(2, os.strerror(2), key)

    return fail


def _store(address: Address, settings: Settings, limit_s: int) -> "S3Store":
    from obstore.store import S3Store

    config: S3Config = {"region": address.region, "disable_bulk_delete": True}
    if address.endpoint:
        config["endpoint"] = address.endpoint
    if settings.aws_access_key_id and settings.aws_secret_access_key:
        config["access_key_id"] = settings.aws_access_key_id
        config["secret_access_key"] = settings.aws_secret_access_key.get_secret_value()
    if settings.aws_session_token:
        config["session_token"] = settings.aws_session_token.get_secret_value()
    client: ClientConfig = {
        "allow_http": bool(address.endpoint and address.endpoint.startswith("http://")),
        "connect_timeout": datetime.timedelta(seconds=CONNECT_S),
        "timeout": datetime.timedelta(seconds=limit_s),
        "read_timeout": datetime.timedelta(seconds=min(limit_s, SILENCE_S)),
    }
    return S3Store(
        address.bucket,
        prefix=address.prefix or None,
        config=config,
        client_options=client,
        retry_config={"max_retries": 0},  # `Bucket` tries again itself, also what obstore would not
    )
