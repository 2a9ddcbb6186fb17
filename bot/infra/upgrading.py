"""Upgrades the database at a start, unless another process uses tables of another version."""

import fcntl
from pathlib import Path
from typing import IO

import migrations
from bot.infra.paths import Layout
from bot.settings import Settings, SettingsError


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
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            fcntl.flock(lock, fcntl.LOCK_SH)  # waits while another process changes the tables
            _require_current(settings)
        else:
            migrations.upgrade(settings.database_url)
            fcntl.flock(lock, fcntl.LOCK_SH)
    except BaseException:
        lock.close()
        raise
    return lock


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
