"""Rows of a batch are shared between two threads while that is faster; a clock of the tests says what is."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from textgen.host.cores import usable
from textgen.inference import two_threads
from textgen.inference.two_threads import TRIAL_EVERY, Sharing

ROWS = 5


class Clock:
    """Stands still, but for what `work` says that its rows take."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def work(self, one_s: float, two_s: float) -> Callable[[slice], None]:
        """Return work that takes one_s in one thread, and two_s in two: the first half adds it."""

        def run(rows: slice) -> None:
            if rows.start == 0:
                self.now_s += one_s if rows.stop == ROWS else two_s

        return run


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(two_threads.time, "perf_counter", lambda: made.now_s)
    return made


def calls_in_two(sharing: Sharing, work: Callable[[slice], None], calls: int) -> int:
    parts: list[slice] = []

    def counted(rows: slice) -> None:
        parts.append(rows)
        work(rows)

    for _ in range(calls):
        sharing.run(ROWS, counted)
    return sum(rows.start == 0 and rows.stop < ROWS for rows in parts)


@pytest.mark.parametrize(("rows", "cores"), [(1, 2), (2, 1), (2, 2), (ROWS, 2), (64, 16)])
def test_each_row_is_computed_once(rows: int, cores: int) -> None:
    sharing = Sharing(cores)
    done: list[int] = []
    for _ in range(10):
        sharing.run(rows, lambda part: done.extend(range(rows)[part]))
    assert sorted(done) == sorted(10 * list(range(rows)))


def test_the_faster_way_is_taken_and_the_other_is_tried_now_and_then(clock: Clock) -> None:
    calls = 10 * TRIAL_EVERY
    trials = calls // TRIAL_EVERY + 3
    assert calls_in_two(Sharing(2), clock.work(1.0, 0.7), calls) >= calls - trials
    assert 3 <= calls_in_two(Sharing(2), clock.work(0.7, 1.0), calls) <= trials


def test_the_way_changes_with_the_load_of_the_machine(clock: Clock) -> None:
    sharing, many = Sharing(2), 5 * TRIAL_EVERY
    calls_in_two(sharing, clock.work(1.0, 0.7), many)
    calls_in_two(sharing, clock.work(1.0, 1.4), many)
    assert calls_in_two(sharing, clock.work(1.0, 1.4), many) <= many // TRIAL_EVERY + 1
    calls_in_two(sharing, clock.work(1.0, 0.7), many)
    assert calls_in_two(sharing, clock.work(1.0, 0.7), many) >= many - many // TRIAL_EVERY - 1


def test_one_slow_call_does_not_change_the_way(clock: Clock) -> None:
    sharing = Sharing(2)
    calls_in_two(sharing, clock.work(1.0, 0.7), 10)
    calls_in_two(sharing, clock.work(1.0, 9.0), 1)
    assert calls_in_two(sharing, clock.work(1.0, 0.7), 10) == 10


def test_rows_do_not_wait_for_a_thread_that_is_busy() -> None:
    free = threading.Event()
    two_threads._helper().submit(free.wait)
    done: list[int] = []
    try:
        Sharing(2).run(ROWS, lambda part: done.extend(range(ROWS)[part]))
        assert done == list(range(ROWS))
    finally:
        free.set()


def test_an_error_in_either_half_reaches_the_caller() -> None:
    def fail(first: bool) -> Callable[[slice], None]:
        def work(part: slice) -> None:
            if (part.start == 0) is first:
                raise MemoryError

        return work

    for first in (True, False):
        with pytest.raises(MemoryError):
            Sharing(2).run(ROWS, fail(first))


@pytest.mark.parametrize(("value", "limit"), [("1", 1), ("0", 1), ("many", None), ("", None)])
def test_the_usual_variable_limits_the_threads_of_a_process_alone(value: str, limit: int | None) -> None:
    program = "from textgen.host.cores import for_threads, usable; print(for_threads(), usable())"
    environment = {**os.environ, "OMP_NUM_THREADS": value}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=True, text=True
    )
    threads, cores = map(int, ended.stdout.split())
    assert cores == usable()
    assert threads == (limit or cores)
