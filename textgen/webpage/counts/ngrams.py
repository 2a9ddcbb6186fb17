"""The n-grams as columns. Only the longest have counts: a shorter one counts what it stands behind.

The reader builds them from short to long. What follows a context is a part of what follows the context
without its oldest token (`textgen.webpage.counts.subsets`).
"""

from __future__ import annotations

import numpy as np

from textgen.errors import BundleError
from textgen.experts.kneser_ney import KneserNey
from textgen.webpage.columns import Column
from textgen.webpage.counts.subsets import Integers, skipped


def columns(counted: KneserNey) -> dict[str, Column]:
    """Return the columns: how many tokens follow each context, which ones, and the longest n-grams' counts.

    Raises:
        BundleError: shorter n-grams do not follow from the longest.
    """
    vocabulary = counted.vocabulary
    keys = [np.zeros(1, np.uint64)]
    for order in counted.orders:
        above = np.repeat(keys[-1], np.diff(order.starts))
        keys.append(above * np.uint64(vocabulary) + order.last.astype(np.uint64))
    lengths: list[Integers] = []
    tokens: list[Integers] = []
    # The candidates of each context of the length at hand: the first, and how many.
    first, sizes = np.zeros(1, np.int64), np.full(1, vocabulary)
    for length, order in enumerate(counted.orders, start=1):
        starts = order.starts.astype(np.int64)
        follow = np.diff(starts)
        lengths.append((follow - 1)[sizes > 1])
        if length == 1:
            behind = order.last.astype(np.int64)
        else:
            ends = keys[length] % np.uint64(vocabulary) ** np.uint64(length - 1)
            shorter = keys[length - 1]
            behind = np.minimum(np.searchsorted(shorter, ends), len(shorter) - 1)
            came = np.bincount(behind, minlength=len(shorter))
            if (shorter[behind] != ends).any() or (came != counted.orders[length - 2].counts).any():
                raise BundleError("the n-grams of this model are not those of a text; no page can hold them")
        tokens.append(skipped(behind - np.repeat(first, follow), starts, sizes))
        inner = behind if length > 1 else np.zeros(len(behind), np.int64)
        first, sizes = starts[inner], follow[inner]
    return {
        "ngrams.lengths": np.concatenate(lengths),
        "ngrams.tokens": np.concatenate(tokens),
        "ngrams.counts": counted.orders[-1].counts,
    }
