"""Numbers for the last few tokens: the hashed n-grams that the cell ``linear`` looks up embeddings by.

Training and serving both call this, so they cannot disagree. A number depends on a token and those
before it alone, never on what follows.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

# Odd 64-bit constants from splitmix64 (Steele, Lea and Flood 2014): each bit of a token reaches every bit.
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_STEP = np.uint64(0x9E3779B97F4A7C15)
_INT_MIX, _INT_STEP, _MASK = tuple(map(int, _MIX)), int(_STEP), 2**64 - 1


def hashed(tokens: npt.NDArray[np.integer], highest: int, rows: int) -> npt.NDArray[np.int32]:
    """Return the table row of each n-gram that ends at each position.

    Args:
        tokens: shape (..., highest - 1 + time): the first ``highest - 1`` only precede.
        highest: longest n-gram; there is one number for each length from 2.
        rows: size of each length's table. Row numbers of different lengths do not overlap.

    Returns:
        Shape (..., time, highest - 1).
    """
    time = tokens.shape[-1] - (highest - 1)
    ids = tokens.astype(np.uint64)
    key = ids[..., highest - 1 :]
    found = []
    for length in range(2, highest + 1):
        before = ids[..., highest - length : highest - length + time]
        key = _mixed(key * _STEP + before + np.uint64(length))
        found.append((key % np.uint64(rows)).astype(np.int32) + np.int32((length - 2) * rows))
    return np.stack(found, axis=-1)


@functools.lru_cache(maxsize=1 << 14)
def hashed_one(tokens: tuple[float, ...], highest: int, rows: int) -> list[int]:
    """Return what `hashed` does for the last of ``highest`` tokens, quicker than NumPy handles so few.

    The cache (about 4 MB) holds most of what a text at character level consists of.
    """
    key = int(tokens[-1])
    found = []
    for length in range(2, highest + 1):
        key = (key * _INT_STEP + int(tokens[-length]) + length) & _MASK
        key = ((key ^ (key >> 30)) * _INT_MIX[0]) & _MASK
        key = ((key ^ (key >> 27)) * _INT_MIX[1]) & _MASK
        key ^= key >> 31
        found.append(key % rows + (length - 2) * rows)
    return found


def _mixed(key: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    key = (key ^ (key >> np.uint64(30))) * _MIX[0]
    key = (key ^ (key >> np.uint64(27))) * _MIX[1]
    return key ^ (key >> np.uint64(31))
