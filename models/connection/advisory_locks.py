"""Locks that PostgreSQL holds for a process for as long as it is connected.

They need a connection of their own to the server itself. Behind a pooler that gives each transaction another
connection (pgbouncer's `transaction` mode) nobody would hold them.
"""

import hashlib
import os
import socket
from typing import Any

import sqlalchemy as sa

from models.connection.errors import one_clear_line

# A server that does not answer is found out within about 15 s, here and there. Without this it would keep the
# locks of a host that lost its power for two hours, which is what an operating system waits by default.
CONNECT_S = 5
IDLE_S, PROBE_S, PROBES = 5, 3, 3
NOTHING_HEARD_S = 60
"""The server ends the session of a process that asks nothing for so long, and so frees what it held."""


class AdvisoryLocks:
    """A connection that takes locks, each named by a text and a number.

    Args:
        url: an address that `parse_url` returned, of PostgreSQL.

    Raises:
        DatabaseError: the server cannot be reached.
    """

    def __init__(self, url: sa.URL) -> None:
        self._url = url
        keepalives = {"keepalives_idle": IDLE_S, "keepalives_interval": PROBE_S, "keepalives_count": PROBES}
        self._engine = sa.create_engine(
            url,
            poolclass=sa.NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={
                "connect_timeout": CONNECT_S,
                "tcp_user_timeout": 1000 * (IDLE_S + PROBE_S * PROBES),
                "application_name": f"pastiche {socket.gethostname()} {os.getpid()}"[:63],
                **keepalives,
            },
        )
        with one_clear_line(url):
            self._connection = self._engine.connect()
            # Settings of the server's end; a build or a socket without one of them is no reason to fail.
            self._ask(
                "SELECT set_config(name, :value, false) FROM pg_settings WHERE name = 'idle_session_timeout'",
                value=str(1000 * NOTHING_HEARD_S),
            )
            for name, value in (("idle", IDLE_S), ("interval", PROBE_S), ("count", PROBES)):
                self._ask(
                    "SELECT set_config(:name, :value, false)", name=f"tcp_keepalives_{name}", value=str(value)
                )

    def take(self, name: str, number: int) -> bool:
        """Take a lock; False if another connection holds it."""
        return bool(self._ask("SELECT pg_try_advisory_lock(:key, :number)", key=_key(name), number=number))

    def share(self, name: str, number: int) -> list[int]:
        """Take a lock that several may have, and return other numbers of the name that somebody has."""
        self._ask("SELECT pg_try_advisory_lock_shared(:key, :number)", key=_key(name), number=number)
        others = sa.select(sa.text("objid::bigint")).select_from(sa.text("pg_locks"))
        others = others.where(_OF_NAME, sa.text("objid::bigint <> :number"))
        with one_clear_line(self._url):
            found = self._connection.execute(others, {"key": _key(name), "number": number})
            return sorted({int(number) for (number,) in found})

    def holder(self, name: str, number: int) -> str:
        """Return who holds a lock, as "process 7 on host"; "another process" if that is unknown."""
        who = sa.select(sa.text("application_name")).where(_OF_NAME, sa.text("objid::bigint = :number"))
        who = who.select_from(sa.text("pg_locks JOIN pg_stat_activity USING (pid)"))
        parts = str(self._ask(who, key=_key(name), number=number) or "").split()
        return f"process {parts[2]} on {parts[1]}" if len(parts) == 3 else "another process"

    def check(self) -> None:
        """Check that the connection, and with it every lock, is still there.

        Raises:
            DatabaseError: it is not.
        """
        self._ask("SELECT 1")

    def close(self) -> None:
        """Give all locks back."""
        self._connection.invalidate()  # it may be broken, so nothing more is said on it
        self._connection.close()
        self._engine.dispose()

    def _ask(self, statement: str | sa.Select[Any], **values: object) -> object:
        asked = sa.text(statement) if isinstance(statement, str) else statement
        with one_clear_line(self._url):
            return self._connection.execute(asked, values).scalar()


_OF_NAME = sa.text(
    "locktype = 'advisory' AND granted AND objsubid = 2 AND classid::bigint = :key "
    "AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def _key(name: str) -> int:
    """Return the first of a lock's two numbers: 31 bits, which an `int4` and an `oid` show alike."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) >> 1
