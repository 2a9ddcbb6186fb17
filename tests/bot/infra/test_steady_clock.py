"""A jump of the host's clock is believed once it has lasted; a suspended host is no jump."""

import datetime

import pytest

from bot.infra.steady_clock import SteadyClock
from bot.scheduling.clock_jumps import ClockJumps

UTC = datetime.UTC
NOON = datetime.datetime(2027, 3, 1, 12, tzinfo=UTC)
SECOND, HOUR, YEAR = (datetime.timedelta(**each) for each in ({"seconds": 1}, {"hours": 1}, {"days": 365}))


class Host:
    """Both clocks of a host."""

    def __init__(self) -> None:
        self.wall, self.elapsed = NOON, 100.0
        self.clock = SteadyClock(lambda: self.wall, lambda: self.elapsed)

    def after(self, seconds: float, jump: datetime.timedelta = datetime.timedelta()) -> datetime.datetime:
        self.elapsed += seconds
        self.wall += datetime.timedelta(seconds=seconds) + jump
        return self.clock() - NOON - datetime.timedelta(seconds=self.elapsed - 100)


@pytest.mark.parametrize("jump", [YEAR, -YEAR, 3 * HOUR, -3 * HOUR])
def test_a_jump_there_and_back_is_never_seen(jump: datetime.timedelta):
    host = Host()
    assert host.after(5) == datetime.timedelta()
    assert host.after(5, jump) == datetime.timedelta()
    assert host.after(200) == datetime.timedelta()
    assert host.after(5, -jump) == datetime.timedelta()
    assert host.after(5, jump) == datetime.timedelta(), "another one is doubted anew"


@pytest.mark.parametrize("jump", [YEAR, -YEAR])
def test_a_jump_that_lasts_is_believed_after_minutes(jump: datetime.timedelta):
    host = Host()
    host.after(5, jump)
    assert host.after(299) == datetime.timedelta()
    assert host.after(2) == jump
    assert host.after(5) == jump


def test_what_ntp_corrects_at_once_is_taken_at_once():
    host = Host()
    assert host.after(5, 30 * SECOND) == 30 * SECOND


def test_a_host_that_slept_knows_the_time_at_once():
    assert Host().after(8 * 3600) == datetime.timedelta()


class TestJumps:
    def test_a_clock_that_only_goes_on_is_well(self):
        jumps = ClockJumps()
        assert jumps.look(NOON) == NOON, "a new process looks once"
        assert all(jumps.look(NOON + number * HOUR) is None for number in range(1, 50))

    def test_back_from_a_jump_the_last_look_before_it_counts(self):
        jumps = ClockJumps()
        jumps.look(NOON)
        assert jumps.look(NOON + YEAR) is None
        assert jumps.look(NOON + YEAR + 5 * SECOND) is None
        assert jumps.look(NOON + HOUR) == NOON
        assert jumps.look(NOON + HOUR + 5 * SECOND) is None

    def test_a_clock_of_long_ago_decides_nothing(self):
        jumps = ClockJumps()
        assert jumps.look(datetime.datetime(1970, 1, 1, tzinfo=UTC)) is None
        assert jumps.look(NOON) == NOON
