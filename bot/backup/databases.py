"""Copies of a database as it was at one moment, while others write to it; and back into an empty one.

SQLite's online backup copies the pages. PostgreSQL's own programs `pg_dump` and `pg_restore` do it there.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.backup.archive import BackupError
from models import Database
from models.connection.engine import make_engine, parse_url
from models.connection.errors import one_clear_line
from models.connection.sqlite_driver import DRIVER

Result = TypeVar("Result")

SQLITE, POSTGRESQL = "sqlite", "postgresql"

_ANY_TABLE = (
    "SELECT 1 FROM information_schema.tables "
    "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') LIMIT 1"
)


def kind(url: str) -> str:
    """Return the kind of a database: `SQLITE` or `POSTGRESQL`."""
    return parse_url(url).get_backend_name()


def sqlite_file(url: str) -> Path:
    """Return the path of a SQLite database."""
    return Path(str(parse_url(url).database))


def copy(url: str, target: Path, look: Callable[[Session], Result]) -> Result:
    """Copy a database to a file, and return what `look` finds in exactly that copy.

    Args:
        url: of the database.
        target: path of the new file.
        look: reads from the copied state.

    Raises:
        BackupError: a program of PostgreSQL is missing or failed.
        DatabaseError: the database cannot be read.
    """
    return (_copy_sqlite if kind(url) == SQLITE else _copy_postgresql)(url, target, look)


def load(url: str, source: Path) -> None:
    """Fill an empty database from a copy; all of it or nothing.

    Raises:
        BackupError: a program of PostgreSQL is missing or failed.
        OSError: the file cannot be written.
    """
    if kind(url) == SQLITE:
        source.replace(sqlite_file(url))
        return
    arguments = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", str(source)]
    _run("pg_restore", url, arguments)


def is_empty(url: str) -> bool:
    """Whether there is no such SQLite file, or a PostgreSQL database has no tables.

    Raises:
        DatabaseError: it cannot be reached.
    """
    if kind(url) == SQLITE:
        return not sqlite_file(url).exists()
    with Database(url) as database, database.read() as session:
        return session.execute(sa.text(_ANY_TABLE)).first() is None


def settle(path: Path) -> None:
    """Make a SQLite file one plain file, without a log beside it."""
    with closing(DRIVER.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def require_program(url: str, name: str) -> None:
    """Check that PostgreSQL's program is there if the database needs it.

    Raises:
        BackupError: it is not.
    """
    if kind(url) == POSTGRESQL:
        _program(name)


def _copy_sqlite(url: str, target: Path, look: Callable[[Session], Result]) -> Result:
    try:
        with closing(DRIVER.connect(sqlite_file(url))) as source, closing(DRIVER.connect(target)) as copied:
            source.execute("PRAGMA busy_timeout = 15000")
            source.backup(copied)
    except DRIVER.Error as error:
        raise BackupError(f"{sqlite_file(url)} cannot be copied: {error}") from None
    with Database(f"sqlite:///{target}") as database, database.read() as session:
        found = look(session)
    settle(target)
    return found


def _copy_postgresql(url: str, target: Path, look: Callable[[Session], Result]) -> Result:
    address = parse_url(url)
    engine = make_engine(address)
    try:
        with (
            one_clear_line(address),
            engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
            Session(connection) as session,
            session.begin(),
        ):
            # pg_dump reads what this transaction sees.
            snapshot = session.execute(sa.text("SELECT pg_export_snapshot()")).scalar_one()
            found = look(session)
            arguments = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
            _run("pg_dump", url, [*arguments, f"--file={target}"])
    finally:
        engine.dispose()
    return found


def _run(name: str, url: str, arguments: list[str]) -> None:
    address = parse_url(url)
    environment = dict(os.environ)
    if address.password:  # not in the arguments, which every user of the host can see
        environment["PGPASSWORD"] = str(address.password)
    place = sa.URL.create(**address._asdict() | {"drivername": POSTGRESQL, "password": None})
    command = [_program(name), f"--dbname={place.render_as_string()}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit code {done.returncode}"]
        raise BackupError(f"{name} failed: {said[0].removeprefix(f'{name}: ')[:300]}")


def _program(name: str) -> str:
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    found = shutil.which(name) or (str(debian[-1]) if debian else None)
    if found is None:
        raise BackupError(f"the program {name} is not on PATH: install PostgreSQL's client programs")
    return found
