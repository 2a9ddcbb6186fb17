"""Errors of the database, each as one line for the person who set it up."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import exc


class DatabaseError(Exception):
    """The database cannot be used now; ``str(error)`` is one line that says why.

    Attributes:
        disk_full: whether the reason is a full disk.
    """

    def __init__(self, line: str, *, disk_full: bool = False) -> None:
        """Say the line."""
        super().__init__(line)
        self.disk_full = disk_full


# What SQLite and PostgreSQL say.
_FULL = ("database or disk is full", "No space left on device", "Disk quota exceeded")


@contextmanager
def one_clear_line(url: sa.URL) -> Iterator[None]:
    """Turn failures of the database itself into `DatabaseError`.

    A violated constraint or a misused session is a mistake of the caller and stays what it is.
    """
    try:
        yield
    except exc.TimeoutError as error:
        raise DatabaseError(f"{shown(url)}: all connections have been busy for too long") from error
    except exc.DBAPIError as error:
        # SQLite reports "file is not a database" and "malformed" as the bare parent of all its errors, and
        # psycopg reports the use of a connection that has just broken as a mistake of the caller.
        broken = error.connection_invalidated or type(error) is exc.DatabaseError
        if broken or isinstance(error, exc.OperationalError | exc.InternalError):
            explained = _explained(url, error)
            raise DatabaseError(explained, disk_full=any(words in explained for words in _FULL)) from error
        raise


def shown(url: sa.URL) -> str:
    """Return the address without its password, so that it can be printed."""
    return url.render_as_string(hide_password=True)


def _explained(url: sa.URL, error: exc.DBAPIError) -> str:
    reason = " ".join(str(error.orig).split()) or type(error.orig).__name__
    if url.get_backend_name() == "sqlite" and url.database and "unable to open" in reason:
        folder = Path(url.database).absolute().parent
        if not folder.is_dir():
            return f"{shown(url)}: there is no folder {folder}; make it, or name another place"
        return f"{shown(url)}: the file cannot be opened or made; is {folder} writable for this user?"
    if "readonly database" in reason:
        return f"{shown(url)}: the file is read-only for this user, or the transaction was opened for reading"
    return f"{shown(url)}: {reason}"
