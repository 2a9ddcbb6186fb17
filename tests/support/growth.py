"""How a function's time grows with its input, on a machine that may be busy with other things."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable

from bot.errors import UserError
from models import InvalidNameError
from tests.support.texts.hostile import FAMILIES
from textgen.errors import TextgenError

LARGEST_GROWTH = 2.5
"""Twice the input may take so many times as long."""

REFUSALS = (TextgenError, UserError, InvalidNameError)

MEASURABLE_S = 0.003
_TRIES = 4
_SMALLEST = 1_000


def growth(
    function: Callable[[str], object],
    family: Callable[[int], str],
    most: int,
    measurable_s: float = MEASURABLE_S,
    least: int = _SMALLEST,
) -> float:
    """Return how many times as long twice the text takes; 1 where even the longest takes no time to speak of.

    A text is compared with one four times as long, so what is returned is the mean over two doublings.
    The processor's time of this thread is measured, and the least of several tries counts: other work
    only ever adds to it.

    Args:
        function: takes the text.
        family: makes a text of about so many characters.
        most: the longest text, in characters.
        measurable_s: the time of the shorter text that is compared with the longer one.
        least: the shortest text, in characters: longer than what a function looks at in one go.
    """
    characters = least
    while (took := _seconds(function, family(characters))) < measurable_s:
        if characters >= most:
            return 1.0
        characters *= 2
    shorter, longer = family(characters), family(4 * characters)
    small, large = took, _seconds(function, longer)
    for _ in range(_TRIES):
        if large <= LARGEST_GROWTH**2 * small:
            break
        # A quadratic function shows in every try.
        small, large = max(small, _seconds(function, shorter)), min(large, _seconds(function, longer))
    return math.sqrt(large / small)


def _seconds(function: Callable[[str], object], text: str) -> float:
    begun = time.thread_time()
    function(text)
    return time.thread_time() - begun


def slow_families(
    function: Callable[[str], object],
    most: int,
    measurable_s: float = MEASURABLE_S,
    least: int = _SMALLEST,
) -> dict[str, str]:
    """Return the hostile texts that take more than `LARGEST_GROWTH` as long when they are twice as long.

    Args:
        function: takes a text; a refusal is an answer like any other.
        most: the longest text, in characters.
        measurable_s: see `growth`.
        least: see `growth`.
    """

    def answered(text: str) -> None:
        with contextlib.suppress(*REFUSALS):
            function(text)

    grown = {name: growth(answered, family, most, measurable_s, least) for name, family in FAMILIES.items()}
    return {name: f"{times:.1f}" for name, times in grown.items() if times > LARGEST_GROWTH}
