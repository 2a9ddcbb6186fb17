"""The lines of a corpus with one item a line, as a bundle keeps them: to draw a sampled line again.

Only a sorted list of 32-bit hashes is kept, not the lines themselves. A person with the bundle can test
whether a line that they think of is in the corpus, as they can test it with the model. `textgen train
--no-seeds` keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.corpus.one_item_a_line import MOST_KNOWN, line_key
from textgen.errors import BundleError

LARGEST_FILE = 4 * MOST_KNOWN + 4_096
"""Largest size of the bundle's file, in bytes."""

_NAME = "hashes"


class KnownLines:
    """A set of lines. Of 4,000 lines that are not in it, at most about one is taken for a member.

    Args:
        keys: sorted hashes without duplicates, shape (lines,).
    """

    def __init__(self, keys: npt.NDArray[np.uint32]) -> None:
        """Keep the hashes."""
        self.keys = keys

    @classmethod
    def of(cls, keys: Iterable[int]) -> KnownLines | None:
        """Return the lines with these hashes (`line_key`), or None if there are too many."""
        found = np.unique(np.fromiter(keys, np.uint32))
        return cls(found) if len(found) <= MOST_KNOWN else None

    def __contains__(self, line: object) -> bool:
        """Return whether a line is in the corpus."""
        if not isinstance(line, str):
            return False
        key = np.uint32(line_key(line))
        place = int(np.searchsorted(self.keys, key))
        return place < len(self.keys) and bool(self.keys[place] == key)

    def joined(self, other: KnownLines) -> KnownLines | None:
        """Return the lines of both, or None if there are too many."""
        return KnownLines.of(np.concatenate([self.keys, other.keys]).tolist())

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays for `from_arrays`."""
        return {_NAME: self.keys}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> KnownLines:
        """Return the lines that `to_arrays` described.

        Raises:
            BundleError: the arrays have another type or shape, are too long, or not sorted.
        """
        keys = arrays.get(_NAME)
        if (
            set(arrays) != {_NAME}
            or keys is None
            or keys.dtype != np.uint32
            or keys.ndim != 1
            or len(keys) > MOST_KNOWN
            or not (keys[1:] > keys[:-1]).all()
        ):
            raise BundleError(f"the known lines are not up to {MOST_KNOWN:,} sorted numbers of 32 bits")
        return cls(keys)
