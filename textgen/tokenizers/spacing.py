"""Learns from a training text which tokens have no space before or after them.

There is no space between two tokens if the left one "joins right" or the right one "joins left". The sets are
chosen so that the text has as few exceptions as possible. Punctuation and the tokens with the most evidence
come first, so that "(" joins right, and not every word that follows it joins left.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

_LEFT, _RIGHT = 0, 1


def learn(stretches: Iterable[tuple[list[str], int]]) -> tuple[set[str], set[str]]:
    """Return the tokens that join left, and those that join right.

    Args:
        stretches: tokens without a space between them, with the count of each such stretch.
    """
    # For each side and token: the counts of neighbours without a space, and of spaces.
    joined: tuple[defaultdict[str, Counter[str]], ...] = (defaultdict(Counter), defaultdict(Counter))
    apart: tuple[Counter[str], ...] = (Counter(), Counter())
    for names, count in stretches:
        apart[_LEFT][names[0]] += count
        apart[_RIGHT][names[-1]] += count
        for left, right in pairwise(names):
            joined[_LEFT][right][left] += count
            joined[_RIGHT][left][right] += count
    evidence = sorted(
        (name.isalnum(), -neighbours.total(), name, side)
        for side in (_LEFT, _RIGHT)
        for name, neighbours in joined[side].items()
        if neighbours.total() > apart[side][name]
    )
    joining: tuple[set[str], set[str]] = (set(), set())
    for *_, name, side in evidence:
        unexplained = sum(
            count for neighbour, count in joined[side][name].items() if neighbour not in joining[1 - side]
        )
        if unexplained > apart[side][name]:
            joining[side].add(name)
    return joining
