"""Which lines stand in the corpus of a text of one item a line, as a bundle keeps them.

Of each line there are 32 bits of a hash, sorted: enough to tell that a new line is none of them, and
not the lines themselves. Whoever has the bundle can ask whether a line that they think of stands there,
as they can ask the model itself; `textgen train --no-seeds` keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.corpus.items import MOST_KNOWN, line_key
from textgen.errors import BundleError

LARGEST_FILE = 4 * MOST_KNOWN + 4_096
"""Of the file that a bundle keeps them in, in bytes."""

_NAME = "hashes"


class KnownLines:
    """A set of lines that answers whether one is in it; of 4,000 that are not it takes one at most for one.

    Args:
        keys: sorted, each once.
    """

    def __init__(self, keys: npt.NDArray[np.uint32]) -> None:
        """Take the keys."""
        self.keys = keys

    @classmethod
    def of(cls, keys: Iterable[int]) -> KnownLines | None:
        """Return the lines of these keys (`textgen.corpus.items.line_key`), or None if they are too many."""
        found = np.unique(np.fromiter(keys, np.uint32))
        return cls(found) if len(found) <= MOST_KNOWN else None

    def __contains__(self, line: object) -> bool:
        """Return whether a line stands in the corpus."""
        if not isinstance(line, str):
            return False
        key = np.uint32(line_key(line))
        place = int(np.searchsorted(self.keys, key))
        return place < len(self.keys) and bool(self.keys[place] == key)

    def joined(self, other: KnownLines) -> KnownLines | None:
        """Return the lines of both."""
        return KnownLines.of(np.concatenate([self.keys, other.keys]).tolist())

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what `from_arrays` needs."""
        return {_NAME: self.keys}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> KnownLines:
        """Return the lines that `to_arrays` described.

        Raises:
            BundleError: they are of another kind, too many, or not in order.
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
