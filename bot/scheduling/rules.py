"""The kinds of rules, and the moments of each. Knows neither Discord nor the database.

Days and cron use local time, so that 09:00 stays 09:00 when the clocks change. Hours and minutes are counted
in absolute time from an anchor, so that the interval stays the same.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

from croniter import croniter

from bot.scheduling.local_time import local_of, moment_of

DAY = datetime.timedelta(days=1)
MINUTE = datetime.timedelta(minutes=1)
MINUTES_A_DAY = 24 * 60
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EVERY_DAY = frozenset(range(7))
WORKING_DAYS = frozenset(range(5))
WEEKEND = frozenset({5, 6})
# The days of a cron expression repeat after four years.
CRON_DAYS = 4 * 366


class Rule(Protocol):
    """When a schedule posts."""

    @property
    def text(self) -> str:
        """The rule as people write it; parsing this text gives the rule again."""

    @property
    def shortest_gap(self) -> datetime.timedelta:
        """The shortest time between two of its moments, apart from changes of the clock."""

    def after(
        self, moment: datetime.datetime, zone: ZoneInfo, anchor: datetime.datetime
    ) -> datetime.datetime:
        """Return the rule's first moment after a given one, in UTC.

        Args:
            moment: a moment (aware).
            zone: time zone of the schedule.
            anchor: the moment (aware) from which hours and minutes are counted.
        """


@dataclass(frozen=True)
class Daily:
    """One time of day on some days of the week.

    Attributes:
        time: local time of day.
        days: days of the week, 0 for Monday to 6 for Sunday.
    """

    time: datetime.time
    days: frozenset[int] = EVERY_DAY

    @property
    def text(self) -> str:
        """Such as `daily 09:00` or `every monday 08:15`."""
        names = {EVERY_DAY: "daily", WORKING_DAYS: "weekdays", WEEKEND: "weekends"}
        name = names.get(self.days) or f"every {WEEKDAYS[min(self.days)]}"
        return f"{name} {self.time:%H:%M}"

    @property
    def shortest_gap(self) -> datetime.timedelta:
        """A day or more."""
        return DAY if len(self.days) > 1 else 7 * DAY

    def after(
        self, moment: datetime.datetime, zone: ZoneInfo, anchor: datetime.datetime
    ) -> datetime.datetime:
        """Return the time on the first of its days on which it is after the moment."""
        del anchor
        local = local_of(moment, zone)
        date = local.date() if self.time > local.time() else local.date() + DAY
        while True:
            if date.weekday() in self.days:
                found = moment_of(datetime.datetime.combine(date, self.time), zone, same_day=True)
                if found > moment:
                    return found
            date += DAY


@dataclass(frozen=True)
class Every:
    """Equal intervals in absolute time.

    Attributes:
        minutes: the interval, in minutes.
        on_the_hour: whether to count from the anchor's full local hour instead of the anchor.
    """

    minutes: int
    on_the_hour: bool = False

    @property
    def text(self) -> str:
        """Such as `every 6 hours`, `every 30 minutes` or `hourly`."""
        if self.on_the_hour:
            return "hourly"
        number, unit = (self.minutes // 60, "hour") if self.minutes % 60 == 0 else (self.minutes, "minute")
        return f"every {number} {unit}" + ("" if number == 1 else "s")

    @property
    def shortest_gap(self) -> datetime.timedelta:
        """The interval."""
        return self.minutes * MINUTE

    def after(
        self, moment: datetime.datetime, zone: ZoneInfo, anchor: datetime.datetime
    ) -> datetime.datetime:
        """Return the anchor plus a number of intervals.

        The anchor may be after the moment, if the clock was ahead.
        """
        start = anchor.astimezone(datetime.UTC).replace(second=0, microsecond=0)
        if self.on_the_hour:
            start -= local_of(start, zone).minute * MINUTE
        return start + ((moment - start) // self.shortest_gap + 1) * self.shortest_gap


@dataclass(frozen=True)
class Cron:
    """A cron expression of five fields, in local time, evaluated by croniter."""

    expression: str

    @property
    def text(self) -> str:
        """Such as `cron 0 9 * * 1-5`."""
        return f"cron {self.expression}"

    @property
    def shortest_gap(self) -> datetime.timedelta:
        """The shortest time between two of its times on one day, or on two days in a row."""
        minutes, hours = self._numbers(0, below=60), self._numbers(1, below=24)
        times = sorted(hour * 60 + minute for hour in hours for minute in minutes)
        gaps = [later - earlier for earlier, later in pairwise(times)]
        days = list(self._days())
        apart = min(((later - earlier) // DAY for earlier, later in pairwise(days)), default=CRON_DAYS)
        return min([*gaps, times[0] - times[-1] + apart * MINUTES_A_DAY]) * MINUTE

    def after(
        self, moment: datetime.datetime, zone: ZoneInfo, anchor: datetime.datetime
    ) -> datetime.datetime:
        """Return its first local time after the moment."""
        del anchor
        # All local times in a gap are the same moment.
        for local in self._local_times(local_of(moment, zone)):
            found = moment_of(local, zone)
            if found > moment:
                return found
        raise AssertionError("a cron expression has no end")

    def _local_times(self, start: datetime.datetime) -> Iterator[datetime.datetime]:
        # croniter handles changes of the clock its own way; in UTC there are none.
        times = croniter(self.expression, start.replace(tzinfo=datetime.UTC))
        while True:
            yield times.get_next(datetime.datetime).replace(tzinfo=None)

    def _days(self) -> Iterator[datetime.date]:
        """Yield its days in four years, up to the first two in a row."""
        midnights = Cron(" ".join(["0", "0", *self.expression.split()[2:]]))
        start = datetime.datetime(2026, 1, 1)  # noqa: DTZ001 - any day of a calendar without clocks
        before: datetime.date | None = None
        for local in midnights._local_times(start):
            if local - start > CRON_DAYS * DAY:
                return
            yield local.date()
            if before is not None and local.date() - before == DAY:
                return
            before = local.date()

    def _numbers(self, field: int, *, below: int) -> list[int]:
        """Return the numbers of a field."""
        numbers = croniter.expand(self.expression)[0][field]
        return list(range(below)) if numbers == ["*"] else [int(number) for number in numbers]
