"""Which slots of a schedule are due, which of them is still posted, and until when. Pure."""

import collections
import datetime
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.scheduling.rules import Rule

LATEST_CATCH_UP = datetime.timedelta(hours=6)
# The most missed slots that are recorded after the bot was away.
REMEMBERED = 20


@dataclass(frozen=True)
class DueSlots:
    """The slots of a schedule that are due.

    Attributes:
        post: the latest slot; None if it has expired.
        expires_at: when the latest slot expires.
        missed: the other slots in order, the newest of them only.
        following: the next slot to wait for.
    """

    post: datetime.datetime | None
    expires_at: datetime.datetime
    missed: tuple[datetime.datetime, ...]
    following: datetime.datetime


def next_slots(
    rule: Rule, moment: datetime.datetime, zone: ZoneInfo, anchor: datetime.datetime, count: int
) -> list[datetime.datetime]:
    """Return the first `count` slots after a moment."""
    found: list[datetime.datetime] = []
    for _ in range(count):
        moment = rule.after(moment, zone, anchor)
        found.append(moment)
    return found


def due_slots(
    rule: Rule, first: datetime.datetime, now: datetime.datetime, zone: ZoneInfo, anchor: datetime.datetime
) -> DueSlots:
    """Decide about the slots from `first` to `now`.

    A late slot is posted for six hours, or for half the time to the next slot if that is shorter. So at most
    one late slot is posted, and never shortly before the next one.

    Args:
        rule: rule of the schedule.
        first: the slot that the schedule waited for (aware), not after `now`.
        now: the present moment (aware).
        zone: time zone of the schedule.
        anchor: anchor of the schedule (aware).
    """
    latest, following = first, rule.after(first, zone, anchor)
    passed: collections.deque[datetime.datetime] = collections.deque(maxlen=REMEMBERED)
    while following <= now:
        passed.append(latest)
        latest, following = following, rule.after(following, zone, anchor)
    expires_at = latest + min(LATEST_CATCH_UP, (following - latest) / 2)
    if now > expires_at:
        return DueSlots(None, expires_at, (*passed, latest), following)
    return DueSlots(latest, expires_at, tuple(passed), following)
