"""Lists of tokens that are part of longer lists which the reader has already.

What came after a context also came after each shorter one. So a list is written as places in a list that is
known: for each token, how many candidates it skips. If as many candidates are left as tokens are to come,
nothing is written.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


def skipped(places: Integers, starts: Integers, sizes: Integers) -> Integers:
    """Return how many candidates tokens skip, where that is not certain.

    Args:
        places: the place of each token among its list's candidates, rising within a list; shape (tokens,).
        starts: the first token of each list, then the number of tokens; shape (lists + 1,).
        sizes: number of candidates of each list, shape (lists,).
    """
    lengths = np.diff(starts)
    before = np.concatenate([[-1], places[:-1]])
    before[starts[:-1]] = -1
    left = np.repeat(sizes, lengths) - before - 1
    wanted = np.repeat(starts[1:], lengths) - np.arange(len(places))
    skips: Integers = (places - before - 1)[left > wanted]
    return skips
