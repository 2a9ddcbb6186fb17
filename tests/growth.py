"""How a function's time grows with its input, on a machine that may be busy with other things."""

from __future__ import annotations

import time
from collections.abc import Callable

LARGEST_GROWTH = 2.5
"""Twice the input may take so many times as long."""

_MEASURABLE_S = 0.02
_SMALLEST = 1_000
_TRIES = 4


def growth(function: Callable[[str], object], family: Callable[[int], str], most: int) -> float:
    """Return how many times as long twice the text takes; 1 where even the longest takes no time to speak of.

    The processor's time of this thread is measured, and the least of several tries counts: other work
    only ever adds to it.

    Args:
        function: takes the text.
        family: makes a text of about so many characters.
        most: the longest text, in characters.
    """
    characters = _SMALLEST
    while (took := _seconds(function, family(characters))) < _MEASURABLE_S:
        if characters >= most:
            return 1.0
        characters *= 2
    shorter, longer = family(characters), family(2 * characters)
    small, large = took, _seconds(function, longer)
    for _ in range(_TRIES):
        if large <= LARGEST_GROWTH * small:
            break
        # A quadratic function shows in every try.
        small, large = max(small, _seconds(function, shorter)), min(large, _seconds(function, longer))
    return large / small


def _seconds(function: Callable[[str], object], text: str) -> float:
    begun = time.thread_time()
    function(text)
    return time.thread_time() - begun
