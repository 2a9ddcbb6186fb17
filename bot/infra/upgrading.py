"""Bringing the database up to date at a start, while nobody works with the tables of another version."""

import fcntl
from pathlib import Path
from typing import IO

import migrations
from bot.infra.paths import Layout
from bot.infra.settings import Settings, SettingsError


def upgraded(settings: Settings) -> IO[str]:
    """Bring the database to the current tables, and keep others from changing them.

    Every process that works on a data directory holds a lock of it together with the others; who has tables
    to change must hold it alone.

    Returns:
        The lock, held until it is closed or the process ends.

    Raises:
        SettingsError: tables are to be changed, and another process works with them as they are.
        DatabaseError: the database cannot be used, or is of a newer version.
    """
    lock = Layout(settings.data_dir).tables_lock.open("a+", encoding="utf-8")
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            fcntl.flock(lock, fcntl.LOCK_SH)  # waits for one that changes the tables at this moment
            _require_current(settings)
        else:
            migrations.upgrade(settings.database_url)
            fcntl.flock(lock, fcntl.LOCK_SH)
    except BaseException:
        lock.close()
        raise
    return lock


def cannot_start(error: OSError) -> SettingsError:
    """The one line for a file that cannot be written or read at the start."""
    where = f"{Path(str(error.filename))}: " if error.filename else ""
    return SettingsError(f"{where}{error.strerror or error}")


def _require_current(settings: Settings) -> None:
    if migrations.is_current(settings.database_url):
        return
    raise SettingsError(
        f"the tables of {settings.data_dir} are of another version, with which another process works: "
        "end it first"
    )
