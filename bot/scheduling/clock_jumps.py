"""A clock that was ahead and was set right: schedules that it moved on come back to their next time.

A schedule waits for the first of its slots after the last look. One that waits for a later one was moved on
by a look at a moment that had not come.
"""

import datetime

import structlog

from bot.errors import UserError
from bot.guilds.time_zones import zone_named
from bot.scheduling.parser import read_rule
from models import Database, Schedule, scheduled_posts, schedules

log = structlog.stdlib.get_logger(__name__)

# A look later than the one before by more than this may have been at a wrong moment.
GAP = datetime.timedelta(minutes=10)
REAL_WITHIN = datetime.timedelta(days=1)
BACKWARDS = datetime.timedelta(seconds=1)
# No clock of a host that runs this is right and shows less: nothing is decided by it.
EARLIEST = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class ClockJumps:
    """Compares each look's moment with the one before."""

    def __init__(self) -> None:
        self._seen: datetime.datetime | None = None
        self._before_gap: datetime.datetime | None = None

    def look(self, now: datetime.datetime) -> datetime.datetime | None:
        """Note the moment of a look.

        Returns:
            Where the clock went back, or where nothing is known yet: the last moment up to now that schedules
            have been looked at for certain. None where all is well.
        """
        if now < EARLIEST:
            return None
        seen, self._seen = self._seen, now
        if seen is None:
            return now
        if now - seen > GAP:
            self._before_gap = self._before_gap or seen
        if seen - now <= BACKWARDS:
            return None
        base, self._before_gap = min(self._before_gap or now, now), None
        return base


def set_back(database: Database, base: datetime.datetime, now: datetime.datetime) -> None:
    """Let every schedule that waits too long wait for its first slot after a moment again; blocks.

    What was posted meanwhile is recorded, and not posted again.

    Args:
        database: where the schedules are.
        base: the moment.
        now: the present one; slots after it have not come.
    """
    with database.read() as session:
        known = list(schedules.active(session))
    for schedule in known:
        try:
            _set_back(database, schedule, base, now)
        except UserError:
            continue  # it cannot be read, which is told where it is due


def _set_back(
    database: Database, schedule: Schedule, base: datetime.datetime, now: datetime.datetime
) -> None:
    rule, zone = read_rule(schedule.rule), zone_named(schedule.timezone)
    # It was not there, or paused, before these moments. One that is far ahead was never real.
    changes = [schedule.anchor] if schedule.anchor <= now + REAL_WITHIN else []
    changes += [schedule.updated_at] if schedule.updated_at <= now else []
    latest = rule.after(max(now, *changes), zone, schedule.anchor)
    if schedule.next_slot is None or schedule.next_slot <= latest:
        return
    following = rule.after(max(base, *changes), zone, schedule.anchor)
    with database.write() as session:
        moved = schedules.advance(
            session, schedule.guild_id, schedule.id, expected=schedule.next_slot, next_slot=following
        )
        if moved is not None:
            scheduled_posts.take_back(session, schedule.guild_id, schedule.id, after=now)
    log.warning(
        "a schedule is set back: the clock was ahead",
        guild=schedule.guild_id,
        schedule=schedule.id,
        waited_for=str(schedule.next_slot),
        next_slot=str(following),
    )
