"""Makes an engine from an address; its transactions behave alike on SQLite and PostgreSQL."""

import time

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.pool import ConnectionPoolEntry

from models.connection.errors import DatabaseError
from models.connection.sqlite_driver import DRIVER

BUSY_TIMEOUT_MS = 15_000
"""How long a SQLite writer waits for the one before it."""

# People wait for an answer: a server that is down must be known within seconds. A connection whose server has
# vanished without a word is given up, too.
SERVER = {
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5000,
}
# A process that is frozen in a transaction must not hold the locks of its rows.
IDLE_TIMEOUT = "15s"
POOL = {"pool_size": 4, "max_overflow": 8, "pool_pre_ping": True}


def parse_url(url: str) -> sa.URL:
    """Check a database address.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/NAME`` (with or without ``+psycopg``).

    Returns:
        The address with its driver named.

    Raises:
        DatabaseError: the address has another form.
    """
    accepted = "use sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError as error:
        # The text is not repeated: what could not be parsed may hold a password anywhere.
        raise DatabaseError(f"the database address is not a URL; {accepted}") from error
    if parsed.drivername == "sqlite":
        if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
            raise DatabaseError(f"{url}: the database must be a plain file; use sqlite:///FILE")
        return parsed
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    raise DatabaseError(f"no support for databases of the kind {parsed.drivername!r}; {accepted}")


def make_engine(url: sa.URL, *, foreign_keys: bool = True) -> sa.Engine:
    """Make an engine; nothing is opened yet.

    A transaction on it only reads, unless the connection has the execution option ``writes=True``.

    Args:
        url: an address that `parse_url` returned.
        foreign_keys: whether SQLite checks them; off for migrations, which rebuild a table by dropping it.

    Raises:
        DatabaseError: the driver for PostgreSQL is not installed.
    """
    if url.get_backend_name() == "postgresql":
        try:
            engine = sa.create_engine(url, connect_args=SERVER, **POOL)
        except ImportError as error:
            raise DatabaseError("PostgreSQL needs its driver: pip install 'psycopg[binary]'") from error
        event.listen(engine, "begin", _begin_on_postgresql)
        return engine

    def prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # The driver's own transaction handling begins late and leaves DDL outside, so it is switched off.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        _enter_wal(cursor)
        cursor.execute("PRAGMA synchronous = FULL")
        # What people ask to have deleted is overwritten, not only unlinked from its page.
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    engine = sa.create_engine(url, module=DRIVER)
    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin_on_sqlite)
    return engine


def _enter_wal(cursor: DBAPICursor) -> None:
    """Switch to write-ahead logging, which the file remembers.

    If several processes switch a new file at the same time, SQLite refuses some of them at once: it does not
    wait for ``busy_timeout`` where waiting could be a deadlock. So it is tried again here.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except DRIVER.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def writes(connection: sa.Connection | sa.Engine) -> bool:
    """Say whether transactions begun on this connection or engine may write."""
    return bool(connection.get_execution_options().get("writes", False))


def _begin_on_sqlite(connection: sa.Connection) -> None:
    # A deferred transaction that begins to write fails at once if another one wrote meanwhile, whatever the
    # busy timeout. So a writing transaction takes the lock at its start, and others cannot write at all.
    may_write = writes(connection)
    connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if may_write else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if may_write else "BEGIN")


def _begin_on_postgresql(connection: sa.Connection) -> None:
    if writes(connection):
        connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_TIMEOUT}'")
    else:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
