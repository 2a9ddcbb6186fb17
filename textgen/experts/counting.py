"""From a text to its n-grams of every length, with how often each came.

The longest n-grams count how often they came. A shorter one counts after how many different tokens it
came (Kneser and Ney 1995): that says how likely it is in a new context.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from textgen.experts.ngram_order import Keys, Numbers, Order, run_lengths

HIGHEST_ORDER = 6

COUNTED_TOKENS = 4_000_000
"""Most tokens that are counted: more would help little beside the network, and take memory."""

_PIECES = 64
_LARGEST_KEY = 2.0**63


def order_for(vocabulary: int) -> int:
    """Return the length of the longest n-grams to count: `HIGHEST_ORDER`, or what fits into a key."""
    return min(HIGHEST_ORDER, int(math.log(_LARGEST_KEY) / math.log(max(2, vocabulary))))


def count(tokens: Numbers, vocabulary: int, order: int | None = None) -> tuple[Order, ...]:
    """Count a text, or pieces of together `COUNTED_TOKENS` that are spread evenly over it.

    Args:
        tokens: shape (tokens,), each below ``vocabulary``.
        vocabulary: number of tokens.
        order: length of the longest n-grams; by default `order_for` the vocabulary.

    Returns:
        The n-grams of length 1, 2, ..., ``order``.
    """
    order = min(order or HIGHEST_ORDER, order_for(vocabulary))
    counted = spread(tokens)
    # The text goes on at its own beginning, so that a token follows every n-gram.
    around = np.concatenate([counted, np.resize(counted, order - 1)])
    keys = np.zeros(len(counted), np.uint64)
    for place in range(order):
        keys *= np.uint64(vocabulary)
        keys += around[place : place + len(keys)].astype(np.uint64)
    keys.sort()
    return orders_of(vocabulary, order, *run_lengths(keys))


def orders_of(vocabulary: int, order: int, keys: Keys, counts: npt.NDArray[np.uint32]) -> tuple[Order, ...]:
    """Return the n-grams of every length that follow from the longest.

    Args:
        vocabulary: number of tokens.
        order: length of the longest.
        keys: the longest, in order, each once.
        counts: how often each came, same shape.
    """
    orders: list[Order] = []
    for length in range(order, 0, -1):
        if length < order:
            keys, counts = run_lengths(np.sort(keys % np.uint64(vocabulary) ** np.uint64(length)))
        contexts = keys // np.uint64(vocabulary)
        starts = np.flatnonzero(np.diff(contexts, prepend=contexts[:1] + np.uint64(1)))
        last = (keys - contexts * np.uint64(vocabulary)).astype(np.min_scalar_type(vocabulary - 1))
        orders.append(Order(last, counts, np.append(starts, len(keys)).astype(np.int32)))
    return tuple(reversed(orders))


def spread(tokens: Numbers, most: int | None = None) -> Numbers:
    """Return a text, or pieces of together ``most`` tokens that are spread evenly over it.

    Args:
        tokens: shape (tokens,).
        most: by default `COUNTED_TOKENS`.
    """
    most = most or COUNTED_TOKENS
    if len(tokens) <= most:
        return np.asarray(tokens)
    length = most // _PIECES
    starts = np.linspace(0, len(tokens) - length, _PIECES).astype(np.int64)
    return np.concatenate([tokens[start : start + length] for start in starts])
