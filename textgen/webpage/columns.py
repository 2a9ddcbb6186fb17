"""Columns of small whole numbers as bytes, which a browser inflates by itself.

The bytes of a column are its numbers' lowest bytes, then their next ones, and so on: most numbers are small,
so the higher bytes are nearly all zero and deflate to nothing. ``static/columns.js`` is the reader.

An entropy coder with a table for each context makes counts a fifth smaller, and takes half a second longer to
read.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.integer]
"""Numbers, at least 0 and below 2 ** 32; shape (numbers,)."""


def planes(column: Column) -> npt.NDArray[np.uint8]:
    """Return the bytes of a column, the lowest first; shape (bytes of its largest number, numbers)."""
    numbers = column.astype("<u4")
    largest = int(numbers.max(initial=0))
    bytes_each = max(1, -(-largest.bit_length() // 8))
    return numbers.view(np.uint8).reshape(-1, 4).T[:bytes_each]
