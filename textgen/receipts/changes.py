"""Where a text differs from the one that a model wrote: the shortest list of changed words (Myers 1986).

The time is bounded for texts of every kind: after `MOST_EDITS` changed words two texts have nothing in
common that is worth telling.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

MOST_EDITS = 600
"""Words that are dropped or added before the search is given up."""

_UNITS = re.compile(r"[^\W\d_]+|\d+|\s|.", re.DOTALL)
# Shorter runs are in common by chance: a word, a space. In short texts that is less, but not a letter or two.
_LONG_RUN = 20
_SHORT_RUN = 8


@dataclass(frozen=True, slots=True)
class Change:
    """A place where a text differs from what the model wrote.

    Attributes:
        at: where it stands in the text that the model wrote, in characters from 0.
        written: what the model wrote there; empty: something was added.
        found: what the text has instead; empty: something was left out.
    """

    at: int
    written: str
    found: str


def changes(written: str, found: str) -> list[Change] | None:
    """Return every change, in the order of the text, or None if the texts are different ones.

    They are different ones if less than half of the shorter one stands in the other in runs of several words.

    Args:
        written: what the model wrote.
        found: the text that is compared with it.
    """
    if written == found:
        return []
    start = _common(written, found)
    end = min(_common(written[::-1], found[::-1]), min(len(written), len(found)) - start)
    here = _UNITS.findall(written[start : len(written) - end])
    there = _UNITS.findall(found[start : len(found) - end])
    blocks = _blocks(here, there)
    if blocks is None:
        return None
    told: list[Change] = []
    at, runs, last = start, [start, end], (0, 0)
    for first, beyond, first_found, beyond_found in [*blocks, (len(here), len(here), len(there), len(there))]:
        kept = sum(map(len, here[last[0] : first]))
        runs.append(kept)
        at += kept
        before, now = "".join(here[first:beyond]), "".join(there[first_found:beyond_found])
        if before or now:
            told.append(_trimmed(at, before, now))
        at += len(before)
        last = beyond, beyond_found
    shorter = min(len(written), len(found))
    long_run = min(_LONG_RUN, max(shorter // 4, min(_SHORT_RUN, len(written) // 2)))
    return told if 2 * sum(run for run in runs if run >= long_run) >= shorter > 0 else None


def _trimmed(at: int, before: str, now: str) -> Change:
    """Return a change without the characters at its ends that are the same."""
    start = _common(before, now)
    before, now = before[start:], now[start:]
    end = _common(before[::-1], now[::-1])
    return Change(at + start, before[: len(before) - end], now[: len(now) - end])


def _common(one: str, other: str) -> int:
    """Return the length of the longest beginning that two texts share."""
    shortest = min(len(one), len(other))
    return bisect_left(range(shortest), True, key=lambda at: one[: at + 1] != other[: at + 1])


def _blocks(here: Sequence[str], there: Sequence[str]) -> list[tuple[int, int, int, int]] | None:
    """Return the changed ranges as (first, beyond) in both sequences; None after `MOST_EDITS`."""
    most = min(MOST_EDITS, len(here) + len(there))
    furthest = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(most + 1):
        trace.append(dict(furthest))
        for diagonal in range(-edits, edits + 1, 2):
            # A word of one text is dropped, or one of the other added: on a diagonal that has been reached.
            x = max(furthest.get(diagonal - 1, -1) + 1, furthest.get(diagonal + 1, -1))
            y = x - diagonal
            while x < len(here) and y < len(there) and here[x] == there[y]:
                x, y = x + 1, y + 1
            furthest[diagonal] = x
            if x >= len(here) and y >= len(there):
                return _joined(_way_back(trace, len(here), len(there)))
    return None


def _way_back(trace: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int, int, int]]:
    """Return every dropped or added word on the shortest way, the first one first."""
    steps = []
    for edits in range(len(trace) - 1, 0, -1):
        before, diagonal = trace[edits], x - y
        down = before.get(diagonal - 1, -1) < before.get(diagonal + 1, -1)
        last = diagonal + 1 if down else diagonal - 1
        x = before[last]
        y = x - last
        steps.append((x, x, y, y + 1) if down else (x, x + 1, y, y))
    return steps[::-1]


def _joined(steps: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Return the steps with those that follow one another made one."""
    blocks: list[tuple[int, int, int, int]] = []
    for first, beyond, first_found, beyond_found in steps:
        if blocks and blocks[-1][1] == first and blocks[-1][3] == first_found:
            blocks[-1] = (blocks[-1][0], beyond, blocks[-1][2], beyond_found)
        else:
            blocks.append((first, beyond, first_found, beyond_found))
    return blocks
