"""From a local date and time to the one moment it means, over changes of the clock. Pure functions."""

import datetime
from zoneinfo import ZoneInfo

UTC = datetime.UTC
SECOND = datetime.timedelta(seconds=1)


def moment_of(local: datetime.datetime, zone: ZoneInfo, *, same_day: bool = False) -> datetime.datetime:
    """The moment of a naive local time; a later local time never means an earlier moment.

    A time that comes twice in the night when clocks go back means the first. One that is skipped when they go
    forward means the first moment after the gap.

    Args:
        local: without a zone.
        zone: where.
        same_day: where the gap lasts until midnight (in Greenland it does), the last minute before it is
            meant, so that the moment lies on that day.
    """
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    last, first = _around_gap(local, zone)
    if same_day and local_of(first, zone).date() != local.date():
        return last.replace(second=0)
    return first


def local_of(moment: datetime.datetime, zone: ZoneInfo) -> datetime.datetime:
    """The naive local time of a moment."""
    return moment.astimezone(zone).replace(tzinfo=None)


def _around_gap(local: datetime.datetime, zone: ZoneInfo) -> tuple[datetime.datetime, datetime.datetime]:
    """The last second before the gap that a local time lies in, and the first after it."""
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
