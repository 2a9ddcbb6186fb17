"""Which slots of a schedule have come, which of them is still worth a post, and how long. Pure."""

import collections
import datetime
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.scheduling.rules import Rule

LATEST_CATCH_UP = datetime.timedelta(hours=6)
# Of many slots that passed while the bot was away so many are remembered.
REMEMBERED = 20


@dataclass(frozen=True)
class DueSlots:
    """What a look at a schedule found.

    Attributes:
        post: the latest slot, if it is young enough.
        expires_at: when it no longer is.
        missed: the others, the newest of them, in order.
        following: the next slot to wait for.
    """

    post: datetime.datetime | None
    expires_at: datetime.datetime
    missed: tuple[datetime.datetime, ...]
    following: datetime.datetime


def next_slots(
    rule: Rule, moment: datetime.datetime, zone: ZoneInfo, anchor: datetime.datetime, count: int
) -> list[datetime.datetime]:
    """The first slots after a moment."""
    found: list[datetime.datetime] = []
    for _ in range(count):
        moment = rule.after(moment, zone, anchor)
        found.append(moment)
    return found


def due_slots(
    rule: Rule, first: datetime.datetime, now: datetime.datetime, zone: ZoneInfo, anchor: datetime.datetime
) -> DueSlots:
    """What to do about the slots from the first unhandled one to now.

    A slot may be caught up with until six hours have passed, or half the way to the next one: so at most one
    is, and never shortly before the next.

    Args:
        rule: of the schedule.
        first: the slot it waited for, not later than now.
        now: the present moment.
        zone: of the schedule.
        anchor: of the schedule.
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
