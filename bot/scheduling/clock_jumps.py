"""Repairs schedules after the host's clock was ahead and was set back.

A schedule waits for its first slot after the last tick. If it waits for a later slot, a tick at a wrong
moment moved it on, and it is moved back here.
"""

import contextlib
import datetime

import structlog

from bot.errors import UserError
from bot.guilds.time_zones import zone_named
from bot.scheduling.parser import read_rule
from models import EVERY_GUILD, Database, Schedule, ServedShards, scheduled_posts, schedules

log = structlog.stdlib.get_logger(__name__)

# After a longer gap between two ticks, the later one may have been at a wrong moment.
GAP = datetime.timedelta(minutes=10)
REAL_WITHIN = datetime.timedelta(days=1)
BACKWARDS = datetime.timedelta(seconds=1)
# An earlier time is certainly wrong, and is ignored.
EARLIEST = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class ClockJumps:
    """Compares the time of each tick with the tick before."""

    def __init__(self) -> None:
        self._seen: datetime.datetime | None = None
        self._before_gap: datetime.datetime | None = None

    def look(self, now: datetime.datetime) -> datetime.datetime | None:
        """Record the time of a tick.

        Returns:
            If the clock went back, or at the first tick: the last moment, not after `now`, up to which ticks
            are known to be right. None if nothing must be repaired.
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


def set_back(
    database: Database,
    base: datetime.datetime,
    now: datetime.datetime,
    served: ServedShards = EVERY_GUILD,
) -> None:
    """Let every schedule that waits for a too late slot wait for its first slot after `base`; blocks.

    What was posted meanwhile is recorded, and is not posted again.

    Args:
        database: holds the schedules.
        base: the moment (aware) up to which ticks are known to be right.
        now: the present moment (aware).
        served: the guilds whose schedules are looked at.
    """
    after = 0
    while True:
        with database.read() as session:
            known = schedules.active(session, served=served, after=after)
        if not known:
            return
        for schedule in known:
            # If its rule or zone cannot be read, the poster says so when it is due.
            with contextlib.suppress(UserError):
                _set_back(database, schedule, base, now)
        after = known[-1].id


def _set_back(
    database: Database, schedule: Schedule, base: datetime.datetime, now: datetime.datetime
) -> None:
    rule, zone = read_rule(schedule.rule), zone_named(schedule.timezone)
    # Before these moments it did not exist, or was paused. A moment far ahead was a fault of the clock.
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
