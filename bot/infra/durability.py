"""Makes DBOS retry while the disk is full, as it does while a database server is down, and log in lines."""

import logging

from dbos import _sys_db

# SQLite's messages when it cannot write. DBOS itself retries only while another writer has the lock. Any
# other error ends a workflow for good, and its job would stay unfinished for ever.
PASSING = ("database is locked", "database or disk is full", "disk I/O error", "unable to open database file")


RULE = "retriable_sqlite_exception"


def wait_for_room() -> None:
    """Make DBOS retry for as long as its own file cannot be written, and log each warning in one line."""
    # DBOS has no setting for this. A test notices a release that renames the function.
    setattr(_sys_db, RULE, _passes)
    logging.getLogger("dbos").addFilter(_in_one_line)


def _in_one_line(record: logging.LogRecord) -> bool:
    """Shorten a warning with a traceback, such as each poll of a database that is away, to its reason."""
    lines = [line.strip() for line in record.getMessage().splitlines() if line.strip()]
    if len(lines) > 1 and record.levelno <= logging.WARNING:
        cause = next((line for line in lines if "OperationalError" in line), lines[-1])
        record.msg, record.args = f"{lines[0].removesuffix('Traceback (most recent call last):')}{cause}", ()
    return True


def _passes(error: Exception) -> bool:
    said = str(getattr(error, "orig", None) or error)
    return any(words in said for words in PASSING)
