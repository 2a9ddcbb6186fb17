"""From a local date and time to the one moment it means, over changes of the clock. Pure functions."""

import datetime
from zoneinfo import ZoneInfo

UTC = datetime.UTC


def moment_of(local: datetime.datetime, zone: ZoneInfo) -> datetime.datetime:
    """The moment of a naive local time.

    A time that comes twice in the night when clocks go back means the first. One that is skipped when they go
    forward means the first moment after the gap.
    """
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    # In a gap fold=0 counts with the offset before it, so ends up after it; fold=1 the other way round.
    after, before = moment, local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    offset_after = after.astimezone(zone).utcoffset()
    second = datetime.timedelta(seconds=1)
    while after - before > second:
        middle = before + (after - before) // second // 2 * second
        if middle.astimezone(zone).utcoffset() == offset_after:
            after = middle
        else:
            before = middle
    return after


def local_of(moment: datetime.datetime, zone: ZoneInfo) -> datetime.datetime:
    """The naive local time of a moment."""
    return moment.astimezone(zone).replace(tzinfo=None)
