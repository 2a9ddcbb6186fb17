"""What can be typed for a schedule, and the moments it means over changes of the clock."""

import datetime
import zoneinfo
from importlib import resources
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.guilds import time_zones
from bot.scheduling.local_time import local_of
from bot.scheduling.parser import UnreadableRule, read_rule
from bot.scheduling.rules import Cron, Daily, Every, Rule
from bot.scheduling.slots import LATEST_CATCH_UP, due_slots, next_slots

UTC = datetime.UTC
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
LORD_HOWE = zoneinfo.ZoneInfo("Australia/Lord_Howe")
# Years that the time zone database knows the rules of; no zone skips a whole day in them.
START = datetime.datetime(2026, 1, 1, tzinfo=UTC)
FIRST_DAY, LAST_DAY = datetime.date(2026, 1, 1), datetime.date(2027, 12, 31)
HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)

READ = [
    ("daily 09:00", "daily 09:00"),
    ("  DAILY   at 9:00 ", "daily 09:00"),
    ("every day 10:30", "daily 10:30"),
    ("weekdays 18:30", "weekdays 18:30"),
    ("weekends at 10.00", "weekends 10:00"),
    ("mondays 08:15", "every monday 08:15"),
    ("every monday 08:15", "every monday 08:15"),
    ("Sun 23:59", "every sunday 23:59"),
    ("every 6 hours", "every 6 hours"),
    ("every 1 hours", "every 1 hour"),
    ("every 90 minutes", "every 90 minutes"),
    ("every 120 min", "every 2 hours"),
    ("hourly", "hourly"),
    ("every hour", "hourly"),
    ("0 9 * * 1-5", "cron 0 9 * * 1-5"),
    ("cron 0 9 * * MON", "cron 0 9 * * mon"),
    ("*/30 8-18 * * *", "cron */30 8-18 * * *"),
]

REFUSED = [
    ("", "I do not understand “”. Use “daily 09:00”"),
    ("tomorrow", "I do not understand"),
    ("funday 10:00", "I do not understand"),
    ("every daily 10:00", "I do not understand"),
    ("täglich 09:00", "I do not understand"),
    ("daily 9", "I do not understand"),
    ("daily 24:00", "from 00:00 to 23:59"),
    ("daily 09:60", "from 00:00 to 23:59"),
    ("daily ٠٩:٠٠", "I do not understand"),
    ("every 0 hours", "such as “every 6 hours”"),
    ("every 999999999 hours", "such as “every 6 hours”"),
    ("every 29 minutes", "at least 30 minutes"),
    ("* * * * *", "every 1 minute; there must be at least 30 minutes"),
    ("0,20 9 * * *", "every 20 minutes"),
    ("50 23 * * *,", "not valid cron"),
    ("5,50 0,23 * * *", "every 15 minutes"),
    ("61 * * * *", "not valid cron"),
    ("0 0 31 2 *", "never comes"),
    ("0 0 9 * * *", "has 6 fields; cron has five"),
    ("cron 0 9", "has 2 fields"),
    ("@daily", "I do not understand"),
    ("cron @daily", "has 1 field"),
    ("R R * * *", "I do not understand"),
    ("0 R * * *", "not valid cron"),
    ("0 h * * *", "not valid cron"),
    ("daily 09:00\n@everyone", "I do not understand"),
    ("x" * 5000, "I do not understand"),
]


@pytest.mark.parametrize(("typed", "text"), READ)
def test_what_is_typed_is_read(typed: str, text: str):
    rule = read_rule(typed, least_minutes=30)
    assert rule.text == text
    assert read_rule(rule.text) == rule


@pytest.mark.parametrize(("typed", "says"), REFUSED)
def test_what_is_no_rule_is_one_line_that_says_what_would_do(typed: str, says: str):
    with pytest.raises(UnreadableRule) as refusal:
        read_rule(typed, least_minutes=30)
    line = str(refusal.value)
    assert says in line.replace("\\", "")
    assert "\n" not in line
    assert "@everyone" not in line
    assert len(line) < 400


@given(st.text(max_size=40) | st.from_regex(r"[a-z0-9*/, :-]{0,30}", fullmatch=True))
def test_anything_typed_is_a_rule_or_one_line(typed: str):
    try:
        rule = read_rule(typed)
    except UnreadableRule as refusal:
        line = str(refusal)
    else:
        line = rule.text
        assert read_rule(line) == rule
    assert "\n" not in line
    assert len(line) < 400


RULES = st.one_of(
    st.builds(
        Daily,
        st.times().map(lambda time: time.replace(second=0, microsecond=0)),
        st.sampled_from(
            [read_rule(f"{days} 09:00").days for days in ("daily", "weekdays", "weekends", "fri")]
        ),
    ),
    st.builds(Every, st.integers(30, 20_000)),
    st.just(Every(60, on_the_hour=True)),
    st.sampled_from(["*/30 * * * *", "0 2 * * *", "30 1-3 * * *", "15 4 l * *", "0 9 1 */2 mon"]).map(Cron),
)
MOMENTS = st.integers(0, 2 * 366 * 86_400).map(lambda seconds: START + datetime.timedelta(seconds=seconds))
ZONES = st.sampled_from(time_zones.names()).map(zoneinfo.ZoneInfo)


@given(RULES)
def test_a_rules_own_text_gives_the_rule(rule: Rule):
    assert read_rule(rule.text) == rule


@given(RULES, MOMENTS, MOMENTS, ZONES)
def test_moments_go_forward_and_do_not_depend_on_where_one_starts_to_look(
    rule: Rule, moment: datetime.datetime, anchor: datetime.datetime, zone: zoneinfo.ZoneInfo
):
    slots = next_slots(rule, moment, zone, anchor, 4)
    assert slots == sorted(set(slots))
    assert slots[0] > moment
    for earlier, later in pairwise(slots):
        for between in (earlier, earlier + (later - earlier) / 2, later - datetime.timedelta(seconds=1)):
            assert rule.after(between, zone, anchor) == later, (rule, zone)


def in_berlin(rule: str, *day: int, hour: int = 0, count: int = 2) -> list[str]:
    start = datetime.datetime(*day, hour, tzinfo=BERLIN)
    slots = next_slots(read_rule(rule), start, BERLIN, start, count)
    return [slot.astimezone(BERLIN).isoformat() for slot in slots]


class TestChangesOfTheClock:
    """In Berlin clocks go forward from 02:00 on 2026-03-29 and back from 03:00 on 2026-10-25."""

    def test_a_time_that_is_skipped_becomes_the_first_moment_after_the_gap(self):
        assert in_berlin("daily 02:30", 2026, 3, 28) == [
            "2026-03-28T02:30:00+01:00",
            "2026-03-29T03:00:00+02:00",
        ]
        assert in_berlin("daily 02:30", 2026, 3, 29, hour=4, count=1) == ["2026-03-30T02:30:00+02:00"]

    def test_a_time_that_comes_twice_counts_the_first_time(self):
        assert in_berlin("daily 02:30", 2026, 10, 25) == [
            "2026-10-25T02:30:00+02:00",
            "2026-10-26T02:30:00+01:00",
        ]

    def test_nine_stays_nine(self):
        assert in_berlin("daily 09:00", 2026, 3, 28) == [
            "2026-03-28T09:00:00+01:00",
            "2026-03-29T09:00:00+02:00",
        ]

    def test_hours_are_counted_in_absolute_time(self):
        start = datetime.datetime(2026, 3, 29, 0, 10, tzinfo=BERLIN)
        slots = next_slots(read_rule("every 6 hours"), start, BERLIN, start, 5)
        assert {later - earlier for earlier, later in pairwise(slots)} == {6 * HOUR}
        assert slots[0].astimezone(BERLIN).isoformat() == "2026-03-29T07:10:00+02:00"

    def test_cron_counts_in_local_time_and_posts_a_gap_once(self):
        assert in_berlin("*/30 1-3 * * *", 2026, 3, 29, count=5) == [
            "2026-03-29T01:00:00+01:00",
            "2026-03-29T01:30:00+01:00",
            "2026-03-29T03:00:00+02:00",
            "2026-03-29T03:30:00+02:00",
            "2026-03-30T01:00:00+02:00",
        ]

    def test_half_an_hour_is_skipped_on_lord_howe(self):
        start = datetime.datetime(2026, 10, 4, tzinfo=LORD_HOWE)
        (slot,) = next_slots(read_rule("daily 02:15"), start, LORD_HOWE, start, 1)
        assert slot.astimezone(LORD_HOWE).isoformat() == "2026-10-04T02:30:00+11:00"

    def test_a_gap_until_midnight_leaves_the_day_its_post(self):
        nuuk = zoneinfo.ZoneInfo("America/Nuuk")  # from 23:00 to 24:00 on 2026-03-28
        start = datetime.datetime(2026, 3, 27, tzinfo=nuuk)
        slots = next_slots(read_rule("daily 23:30"), start, nuuk, start, 3)
        assert [local_of(slot, nuuk).isoformat() for slot in slots] == [
            "2026-03-27T23:30:00",
            "2026-03-28T22:59:00",
            "2026-03-29T23:30:00",
        ]

    def test_hourly_is_on_the_full_local_hour(self):
        kolkata = zoneinfo.ZoneInfo("Asia/Kolkata")
        start = datetime.datetime(2026, 1, 1, 10, 17, tzinfo=kolkata)
        (slot,) = next_slots(read_rule("hourly"), start, kolkata, start, 1)
        assert slot.astimezone(kolkata).isoformat() == "2026-01-01T11:00:00+05:30"


def without_aliases() -> list[str]:
    """Every IANA zone, but of those that are one another's alias the first."""
    folders = [Path(folder) for folder in zoneinfo.TZPATH]
    folders.append(Path(str(resources.files("tzdata"))) / "zoneinfo")
    first: dict[bytes, str] = {}
    for name in time_zones.names():
        file = next(folder / name for folder in folders if (folder / name).is_file())
        first.setdefault(file.read_bytes(), name)
    return list(first.values())


@pytest.mark.slow
def test_a_daily_schedule_comes_once_a_local_day_in_every_zone_for_two_years():
    wanted = [FIRST_DAY + number * DAY for number in range((LAST_DAY - FIRST_DAY).days + 1)]
    names = without_aliases()
    assert len(names) > 300
    for name in names:
        zone = zoneinfo.ZoneInfo(name)
        for time in ("00:30", "02:30", "23:30"):
            rule = read_rule(f"daily {time}")
            moment = datetime.datetime(2025, 12, 31, 23, 45, tzinfo=zone)
            days = []
            for _ in wanted:
                moment = rule.after(moment, zone, moment)
                days.append(local_of(moment, zone).date())
            assert days == wanted, (name, time)


class TestDue:
    RULE = read_rule("every 6 hours")
    FIRST = datetime.datetime(2027, 3, 1, 12, tzinfo=UTC)

    def due(self, now: datetime.datetime, rule: Rule = RULE):
        return due_slots(rule, self.FIRST, now, zoneinfo.ZoneInfo("UTC"), self.FIRST - 6 * HOUR)

    def test_the_slot_itself(self):
        found = self.due(self.FIRST)
        assert (found.post, found.missed, found.following) == (self.FIRST, (), self.FIRST + 6 * HOUR)

    def test_only_the_latest_is_caught_up_and_only_half_the_way_to_the_next(self):
        found = self.due(self.FIRST + 15 * HOUR)
        assert found.post == self.FIRST + 12 * HOUR
        assert found.missed == (self.FIRST, self.FIRST + 6 * HOUR)
        found = self.due(self.FIRST + 15 * HOUR + datetime.timedelta(seconds=1))
        assert found.post is None
        assert len(found.missed) == 3
        assert found.following == self.FIRST + 18 * HOUR

    def test_a_daily_one_is_caught_up_for_six_hours(self):
        daily = read_rule("daily 12:00")
        assert self.due(self.FIRST + LATEST_CATCH_UP, daily).post == self.FIRST
        assert self.due(self.FIRST + LATEST_CATCH_UP + HOUR, daily).post is None

    @settings(deadline=None)
    @given(RULES, MOMENTS, ZONES, st.timedeltas(datetime.timedelta(0), datetime.timedelta(days=10)))
    def test_at_most_one_post_and_the_next_slot_lies_ahead(
        self, rule: Rule, moment: datetime.datetime, zone: zoneinfo.ZoneInfo, away: datetime.timedelta
    ):
        first = rule.after(moment, zone, moment)
        now = first + away
        found = due_slots(rule, first, now, zone, moment)
        assert found.following > now
        assert found.post is None or found.post <= now <= found.expires_at < found.following
        handled = [*found.missed, *([found.post] if found.post else [])]
        assert handled == sorted(set(handled))
        assert rule.after(handled[-1], zone, moment) == found.following
