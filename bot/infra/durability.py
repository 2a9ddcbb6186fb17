"""Lets DBOS wait for room on a full disk, as it waits for a database server that is away."""

from dbos import _sys_db

# What SQLite says where it cannot write. DBOS itself tries again only while another writer has the lock; any
# other error ends a workflow for good, whose job would then stand unfinished for ever.
PASSING = ("database is locked", "database or disk is full", "disk I/O error", "unable to open database file")


RULE = "retriable_sqlite_exception"


def wait_for_room() -> None:
    """Have DBOS try again for as long as its own file cannot be written."""
    # It has no setting for this; a release without the name is noticed by a test.
    setattr(_sys_db, RULE, _passes)


def _passes(error: Exception) -> bool:
    said = str(getattr(error, "orig", None) or error)
    return any(words in said for words in PASSING)
