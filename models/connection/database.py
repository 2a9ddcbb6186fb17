"""The one way into the database, for the event loop and for worker threads."""

import asyncio
import contextvars
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Self, TypeVar, TypeVarTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.connection.engine import make_engine, parse_url
from models.connection.errors import one_clear_line

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

THREADS = 8
"""The most transactions that run at a time for the event loop."""


class Database:
    """A database reached by short synchronous transactions; at the end of a ``with`` block it is disposed of.

    Objects read in a transaction stay readable after it; changes made to them later go nowhere.
    """

    def __init__(self, url: str, measured: Callable[[str, float], None] | None = None) -> None:
        """Check the address. The first transaction opens the connection.

        Args:
            url: the address.
            measured: called after each transaction with `read` or `write` and its duration in seconds.

        Raises:
            DatabaseError: the address cannot be used.
        """
        self.url = parse_url(url)
        self._engine = make_engine(self.url)
        self._threads = _threads()
        self._measured = measured or (lambda _kind, _seconds: None)
        self._writing_engine = self._engine.execution_options(writes=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.dispose()

    def read(self) -> AbstractContextManager[Session]:
        """Yield a session in a read-only transaction, which sees the database at one moment.

        Raises:
            DatabaseError: the database cannot be reached or used, or a write was tried.
        """
        return self._transaction("read", self._engine)

    def write(self) -> AbstractContextManager[Session]:
        """Yield a session in a writing transaction: committed at the end, rolled back by an exception.

        On SQLite writing transactions run one after another. On PostgreSQL they run at the same time, so read
        with ``with_for_update`` whatever a change is computed from.

        Raises:
            DatabaseError: the database cannot be reached or used, or another writer held it for 15 s.
        """
        return self._transaction("write", self._writing_engine)

    @contextmanager
    def _transaction(self, kind: str, engine: sa.Engine) -> Iterator[Session]:
        begun = time.monotonic()
        try:
            with (
                one_clear_line(self.url),
                Session(engine, expire_on_commit=False) as session,
                session.begin(),
            ):
                session.connection()
                yield session
        finally:
            self._measured(kind, time.monotonic() - begun)

    async def call(
        self, function: Callable[[Session, *Arguments], Result], *args: *Arguments, write: bool = False
    ) -> Result:
        """Run ``function(session, *args)`` in a transaction of its own, in a worker thread.

        If the caller is cancelled, it stops waiting, but a transaction that has begun runs to its end.

        Args:
            function: takes a session and `args`, such as any query of this package.
            *args: positional arguments after the session; for keywords pass a lambda or a partial.
            write: whether the transaction may write.

        Raises:
            DatabaseError: as `read` and `write`.
        """

        def transaction() -> Result:
            with self.write() if write else self.read() as session:
                return function(session, *args)

        running = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(self._threads, running, transaction)

    def forget_log(self) -> None:
        """Truncate SQLite's write-ahead log, which would otherwise still hold what was deleted.

        While others read or write, it stays as it is; the next deletion or the end of the process does it.
        """
        if self.url.get_backend_name() != "sqlite":
            return
        with one_clear_line(self.url), self._engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None  # noqa: S101 -- it has just been opened
            driver.execute("PRAGMA query_only = OFF")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def dispose(self) -> None:
        """Close the pooled connections; a later transaction opens new ones."""
        threads, self._threads = self._threads, _threads()
        threads.shutdown(wait=False)
        self._engine.dispose()


def _threads() -> ThreadPoolExecutor:
    """Return threads for transactions alone: asyncio's own may all wait for something slow."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="database")
