"""Makes DBOS retry while the disk is full, as it does while a database server is down."""

from dbos import _sys_db

# SQLite's messages when it cannot write. DBOS itself retries only while another writer has the lock. Any
# other error ends a workflow for good, and its job would stay unfinished for ever.
PASSING = ("database is locked", "database or disk is full", "disk I/O error", "unable to open database file")


RULE = "retriable_sqlite_exception"


def wait_for_room() -> None:
    """Make DBOS retry for as long as its own file cannot be written."""
    # DBOS has no setting for this. A test notices a release that renames the function.
    setattr(_sys_db, RULE, _passes)


def _passes(error: Exception) -> bool:
    said = str(getattr(error, "orig", None) or error)
    return any(words in said for words in PASSING)
