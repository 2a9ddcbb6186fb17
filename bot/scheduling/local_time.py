"""Converts local times to moments and back, across changes of the clock. Pure functions."""

import datetime
from zoneinfo import ZoneInfo

UTC = datetime.UTC
SECOND = datetime.timedelta(seconds=1)


def moment_of(local: datetime.datetime, zone: ZoneInfo, *, same_day: bool = False) -> datetime.datetime:
    """Return the moment of a local time; a later local time never has an earlier moment.

    A time that occurs twice, when clocks go back, means the first occurrence. A time that is skipped, when
    clocks go forward, means the first moment after the gap.

    Args:
        local: a naive local time.
        zone: its time zone.
        same_day: if the gap lasts until midnight (as in Greenland), take the last minute before the gap, so
            that the moment is on the same day.
    """
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    last, first = _around_gap(local, zone)
    if same_day and local_of(first, zone).date() != local.date():
        return last.replace(second=0)
    return first


def local_of(moment: datetime.datetime, zone: ZoneInfo) -> datetime.datetime:
    """Return the naive local time of a moment."""
    return moment.astimezone(zone).replace(tzinfo=None)


def _around_gap(local: datetime.datetime, zone: ZoneInfo) -> tuple[datetime.datetime, datetime.datetime]:
    """Return the last second before the gap that a local time is in, and the first second after it."""
    # fold=0 counts with the offset before the gap, so it ends up after it; fold=1 the other way round.
    after = local.replace(tzinfo=zone).astimezone(UTC)
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    offset_after = after.astimezone(zone).utcoffset()
    while after - before > SECOND:
        middle = before + (after - before) // SECOND // 2 * SECOND
        if middle.astimezone(zone).utcoffset() == offset_after:
            after = middle
        else:
            before = middle
    return before, after
