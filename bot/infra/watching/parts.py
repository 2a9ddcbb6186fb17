"""The parts that every process needs, and how each is asked whether it answers."""

import time
from collections.abc import Callable

from bot.infra.watching.readiness import Check, NotReady
from models import Database, retention


def answering(database: Database) -> Check:
    """Return a check that reads a row of the database."""

    def check() -> None:
        with database.read() as session:
            retention.database_made_at(session)

    return check


def connected(seen_at: Callable[[], float | None], max_age_s: float) -> Check:
    """Return a check of the connection to Discord.

    Args:
        seen_at: returns when Discord was last known to be connected, in Unix seconds; None if it never was.
        max_age_s: seconds for which a lost connection is normal.
    """

    def check() -> None:
        seen = seen_at()
        if seen is None:
            raise NotReady("not connected to Discord")
        apart_s = time.time() - seen
        if apart_s > max_age_s:
            raise NotReady(f"no connection to Discord for {apart_s:.0f} s")

    return check
