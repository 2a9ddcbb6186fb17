"""Upgrades the database at a start, unless another process uses tables of another version."""

import fcntl
import time
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

import migrations
from bot.infra.file_locks import try_lock
from bot.infra.hosts.watch import EVERY_S
from bot.infra.paths import Layout
from bot.settings import Settings, SettingsError
from models import Database
from models.connection.engine import parse_url


def upgraded(settings: Settings) -> IO[str]:
    """Upgrade the database to the current tables, and keep others from changing them.

    All processes of a data directory share a lock; a process that changes tables must hold it alone.

    Returns:
        The lock, held until it is closed or the process ends.

    Raises:
        SettingsError: tables must be changed, and another process uses the present ones.
        DatabaseError: the database cannot be used, or is of a newer version.
    """
    lock = Layout(settings.data_dir).tables_lock.open("a+", encoding="utf-8")
    try:
        if try_lock(lock):
            _require_no_other_version(settings)
            migrations.upgrade(settings.database_url)
            fcntl.flock(lock, fcntl.LOCK_SH)
        else:
            fcntl.flock(lock, fcntl.LOCK_SH)  # waits while another process changes the tables
            _require_current(settings)
    except BaseException:
        lock.close()
        raise
    return lock


def _require_no_other_version(settings: Settings) -> None:
    """Check that no process on another data directory works with the present tables, if they must change."""
    url = parse_url(settings.database_url)
    if url.get_backend_name() == "sqlite" or migrations.is_current(settings.database_url):
        return
    with Database(settings.database_url) as database:
        before = _signs(database)
        if before:
            time.sleep(EVERY_S + 1)
        moving = _signs(database) - before
    for kind, name, version, _ in sorted(moving):
        raise SettingsError(
            f"the tables must be changed, and the {kind} “{name}” (version {version}) works with the present "
            "ones: end it first"
        )


def _signs(database: Database) -> set[tuple[str, str, str, str]]:
    """Return the signs of life of all processes; none if the tables are older than signs of life."""
    # As text: the table may be that of another version.
    chosen = "SELECT kind, name, version, CAST(seen_at AS TEXT) FROM host WHERE seen_at IS NOT NULL"
    try:
        with database.read() as session:
            rows = session.execute(sa.text(chosen))
            return {(kind, name, version, seen_at) for kind, name, version, seen_at in rows}
    except ProgrammingError:
        return set()


def cannot_start(error: OSError) -> SettingsError:
    """Return the error, in one line, for a file that cannot be written or read at the start."""
    where = f"{Path(str(error.filename))}: " if error.filename else ""
    return SettingsError(f"{where}{error.strerror or error}")


def _require_current(settings: Settings) -> None:
    if migrations.is_current(settings.database_url):
        return
    raise SettingsError(
        f"the tables of {settings.data_dir} are of another version, with which another process works: "
        "end it first"
    )
