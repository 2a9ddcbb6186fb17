"""Counts after chains of contexts as small plain arrays in a bundle, and back: bounded and checked.

The arrays are deflated: most counts are 1 and most contexts have one continuation, which takes a few bits.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.errors import BundleError
from textgen.experts.chains.chain import LEVEL_BITS, LEVELS
from textgen.experts.chains.counting import ChainCounts, ContextCounts
from textgen.experts.expert import Arrays
from textgen.experts.ngram_order import Numbers
from textgen.experts.tree import Tree

_MOST_BYTES = 96 << 20
"""Most bytes that the arrays take together: three times as many as a text of `COUNTED_TOKENS` gives."""

_DISCOUNTS = "discounts"
_DEFLATED = (
    *("pieces", "pieces_beneath", "contexts", "contexts_beneath"),
    *("often", "entries", "tokens", "counts"),
)
_SMALLEST_DISCOUNT = 0.05


def to_arrays(name: str, counted: ChainCounts) -> Arrays:
    """Return the counts under names that begin with the expert's.

    Args:
        name: the expert's.
        counted: what was counted.
    """
    counts = counted.counts
    deflated: tuple[Numbers, ...] = (
        *(counted.pieces.keys, counted.pieces.beneath),
        *(counted.contexts.keys, counted.contexts.beneath),
        *(counts.often.astype(np.uint8), np.diff(counts.starts), counts.last, counts.counts),
    )
    arrays = {f"{name}.{kind}": _deflated(array) for kind, array in zip(_DEFLATED, deflated, strict=True)}
    return {f"{name}.{_DISCOUNTS}": counts.by_level, **arrays}


def from_arrays(name: str, vocabulary: int, arrays: Arrays, characters: int) -> ChainCounts:
    """Return the counts that `to_arrays` described.

    Args:
        name: the expert's.
        vocabulary: number of tokens.
        arrays: the arrays.
        characters: levels whose keys hold tokens and not pieces.

    Raises:
        BundleError: the arrays do not fit each other.
    """
    if set(arrays) != {f"{name}.{kind}" for kind in (_DISCOUNTS, *_DEFLATED)}:
        raise BundleError(f"the counts of {name} hold {', '.join(sorted(arrays))[:120]}")
    discounts = arrays[f"{name}.{_DISCOUNTS}"]
    largest = np.array([0, 1, 2, 3], np.float32)
    if (
        discounts.dtype != np.float32
        or discounts.shape != (LEVELS + 1, len(largest))
        or not ((discounts < largest) & (discounts > _SMALLEST_DISCOUNT))[:, 1:].all()
        or discounts[:, 0].any()
    ):
        raise BundleError(f"the discounts of {name} lie outside their range")
    left = _MOST_BYTES
    inflated: list[Numbers] = []
    for kind in _DEFLATED:
        inflated.append(_inflated(arrays[f"{name}.{kind}"], f"{kind} of {name}", left))
        left -= inflated[-1].nbytes
    pieces, pieces_beneath, contexts, contexts_beneath, often, entries, last, counts = inflated
    known_pieces = Tree.checked(pieces, pieces_beneath, f"pieces of {name}")
    known = Tree.checked(contexts, contexts_beneath, f"contexts of {name}")
    if len(often) != known.nodes or often.max() > 1 or known.keys[0] or known_pieces.keys.max() >= vocabulary:
        raise BundleError(f"the contexts of {name} do not fit each other")
    starts = ContextCounts.checked_starts(last, counts, entries, known.nodes, vocabulary, name)
    levels = (known.keys & np.uint32((1 << LEVEL_BITS) - 1)).astype(np.uint8)
    added = known.keys >> np.uint32(LEVEL_BITS)
    if not levels[1:].all() or (added >= np.where(levels > characters, known_pieces.nodes, vocabulary)).any():
        raise BundleError(f"a context of {name} has no level, or adds what is not there")
    return ChainCounts(
        known_pieces, known, ContextCounts(last, counts, starts, levels, often.astype(bool), discounts)
    )


def _deflated(array: Numbers) -> npt.NDArray[np.uint8]:
    """Return an array as the size of its elements and their deflated bytes."""
    plain = array.astype(np.min_scalar_type(int(array.max())))
    kind = plain.dtype.newbyteorder("<")
    data = bytes([plain.itemsize]) + zlib.compress(plain.astype(kind).tobytes(), 6)
    return np.frombuffer(data, np.uint8)


def _inflated(array: npt.NDArray[Any], what: str, most: int) -> Numbers:
    """Return the array that `_deflated` packed, of at most so many bytes."""
    data = array.tobytes() if array.dtype == np.uint8 and array.ndim == 1 else b""
    size = data[0] if data else 0
    opened = zlib.decompressobj()
    try:
        plain = opened.decompress(data[1:], most + 1) if size in (1, 2, 4) else b""
    except zlib.error:
        plain = b""
    if not plain or not opened.eof or opened.unused_data or len(plain) % size:
        raise BundleError(f"the {what} are not deflated whole numbers, or too many")
    return np.frombuffer(plain, np.dtype(f"<u{size}"))
