"""Sharing the rows of a batch between two threads, while that is faster than one.

Compiled code releases Python's lock, so two threads use two cores. How much that saves depends on the moment.
On an idle machine of two cores, eight texts of a base took 0.65 of the time, and a prompt 0.6. Beside other
work on all cores they can take longer than in one thread, because each half reads the weights for itself. So
both ways are timed again and again.

The way does not change a text.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache

from textgen.host.cores import for_threads

TRIAL_EVERY = 32
"""One of so many calls goes the way that was slower before."""

_KEPT = 3
"""Times kept of each way. Their median decides, so that one slow call does not."""

_MANY = 16
"""Fewer rows are timed apart for each number, because what they share weighs more. More are timed by size."""

Work = Callable[[slice], None]
"""Computes some rows of a batch."""


class Sharing:
    """Runs one kind of work on the rows of batches, in one thread or in two.

    Args:
        cores: number of cores that this process may use; None for `for_threads`.
    """

    def __init__(self, cores: int | None = None) -> None:
        """Start without measured times."""
        self._cores = for_threads() if cores is None else cores
        self._times: dict[int, _Times] = {}

    def run(self, rows: int, work: Work) -> None:
        """Have all rows computed.

        Args:
            rows: number of rows.
            work: called with slices that together are all rows, maybe from another thread at the same time.
        """
        if rows < 2 or self._cores < 2:
            work(slice(0, rows))
            return
        times = self._times.setdefault(rows if rows < _MANY else -rows.bit_length(), _Times())
        two = times.next_is_two()
        begun = time.perf_counter()
        if two:
            _in_two_threads(rows, work)
        else:
            work(slice(0, rows))
        times.add(two, (time.perf_counter() - begun) / rows)


class _Times:
    """How long the last calls of each way took, and which way is next."""

    __slots__ = ("_calls", "_ways")

    def __init__(self) -> None:
        self._calls = 0
        self._ways: tuple[deque[float], deque[float]] = (deque(maxlen=_KEPT), deque(maxlen=_KEPT))

    def next_is_two(self) -> bool:
        """Whether the next call should take two threads."""
        self._calls += 1
        one, two = self._ways
        if len(one) < _KEPT:
            return len(two) <= len(one)
        slower = sorted(two)[_KEPT // 2] > sorted(one)[_KEPT // 2]
        return slower == (self._calls % TRIAL_EVERY == 0)

    def add(self, two: bool, row_s: float) -> None:
        """Add the time of a call, for each row."""
        self._ways[two].append(row_s)


def _in_two_threads(rows: int, work: Work) -> None:
    half = (rows + 1) // 2
    other: Future[None] = _helper().submit(work, slice(half, rows))
    try:
        work(slice(0, half))
    except BaseException:
        if not other.cancel():
            wait((other,))  # it still writes where the caller may go on
        raise
    if other.cancel():  # the other core was busy: the thread has not begun
        work(slice(half, rows))
    else:
        other.result()


@cache
def _helper() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="second-half")
