"""Counted n-grams of one length, and how they refine the probabilities of shorter ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.errors import BundleError
from textgen.experts import compiled_mixing

Keys = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.integer[Any]]

DISCOUNTED = 3
"""Counts above this one have its discount."""


@dataclass(frozen=True)
class Order:
    """The n-grams of one length, grouped by their contexts: the n-grams that are one token shorter.

    Serving needs less than training, so some arrays are computed on demand.

    Attributes:
        last: the last token of each n-gram, shape (entries,); sorted within each context.
        counts: shape (entries,).
        starts: index of each context's first entry, then the number of entries; shape (contexts + 1,).
    """

    last: Numbers
    counts: Numbers
    starts: npt.NDArray[np.int32]

    @staticmethod
    def checked_starts(
        last: Numbers, counts: Numbers, beneath: Numbers, contexts: int, vocabulary: int, what: str
    ) -> npt.NDArray[np.int32]:
        """Return the `starts` of counts that were read from a file.

        Args:
            last: see `Order`.
            counts: see `Order`.
            beneath: number of each context's entries, shape (contexts,).
            contexts: number of contexts.
            vocabulary: number of tokens.
            what: of what they are the counts, for the error's message.

        Raises:
            BundleError: the arrays do not fit each other.
        """
        total = int(beneath.sum(dtype=np.int64))
        fits = len(beneath) == contexts and total == len(last) == len(counts)
        if not (fits and beneath.min() and counts.min() and last.max() < vocabulary):
            raise BundleError(f"the counts of {what} do not fit each other")
        starts = np.zeros(contexts + 1, np.int32)
        np.cumsum(beneath, dtype=np.int32, out=starts[1:])
        rises = last[1:] > last[:-1]
        rises[starts[1:-1] - 1] = True  # the next context begins here
        if not rises.all():
            raise BundleError(f"the counts of {what} are not in order")
        return starts

    @property
    def memory(self) -> int:
        """Bytes of memory, including what has been computed on demand so far."""
        return sum(value.nbytes for value in vars(self).values())

    @cached_property
    def discounts(self) -> Floats:
        """The discounts of counts of 0, 1, 2, and 3 or more, shape (4,)."""
        return discounts_of([int((self.counts == times).sum()) for times in (1, 2, 3, 4)])

    @cached_property
    def totals(self) -> Floats:
        """Sum of each context's counts, shape (contexts,)."""
        return self._sums(self.counts)

    @cached_property
    def discounted(self) -> Floats:
        """Sum of each context's discounts, shape (contexts,)."""
        return self._sums(self._taken())

    @cached_property
    def numerators(self) -> Floats:
        """Counts minus their discounts, shape (entries,)."""
        return self.counts.astype(np.float32) - self._taken()

    @cached_property
    def relative(self) -> Floats:
        """Numerators divided by their context's total, shape (entries,)."""
        numerators = self.counts.astype(np.float32) - self._taken()
        return numerators / self._sums(self.counts).repeat(np.diff(self.starts))

    @cached_property
    def shares(self) -> Floats:
        """Share of the probability that each context leaves to shorter n-grams, shape (contexts,)."""
        return self._sums(self._taken()) / self._sums(self.counts)

    def _taken(self) -> Floats:
        return self.discounts[np.minimum(self.counts, DISCOUNTED)]

    def _sums(self, values: npt.NDArray[Any]) -> Floats:
        # Every context has at least one entry.
        return np.add.reduceat(values.astype(np.float64), self.starts[:-1]).astype(np.float32)


def mix(
    found: Floats,
    order: Order,
    rows: Integers,
    index: Integers,
    shares: Floats,
    totals: Floats | None = None,
) -> None:
    """Mix the relative frequencies of one length into the probabilities of shorter ones, in place.

    Args:
        found: shape (positions, vocabulary); C-contiguous.
        order: the n-grams.
        rows: positions whose context is known.
        index: the context of each of these positions.
        shares: the factor of the shorter ones' probabilities at each of these positions.
        totals: the divisors, or None for the contexts' own totals.
    """
    code = compiled_mixing.library()
    if code is not None:
        numerators = order.relative if totals is None else order.numerators
        compiled_mixing.mix(code, found, order.last, order.starts, numerators, rows, index, shares, totals)
        return
    if len(rows) == len(found):
        found *= shares[:, None]
        if len(order.starts) == 2:
            # The only context has nearly all tokens as entries: adding whole rows is faster.
            numerators = np.zeros(found.shape[1], np.float32)
            numerators[order.last] = order.numerators
            found += numerators / (order.totals[index] if totals is None else totals)[:, None]
            return
    else:
        found[rows] *= shares[:, None]
    starts = order.starts[index]
    lengths = order.starts[index + 1] - starts
    ends = lengths.cumsum()
    entries = np.arange(ends[-1]) + np.repeat(starts - (ends - lengths), lengths)
    cells = np.repeat(rows * found.shape[1], lengths) + order.last[entries]
    added = order.relative[entries] if totals is None else order.numerators[entries] / totals.repeat(lengths)
    # A token comes only once in a context, so each element is changed only once.
    found.reshape(-1)[cells] += added


def discounts_of(times: Sequence[int]) -> Floats:
    """Return the discounts of counts of 0, 1, 2, and 3 or more, shape (4,): Chen and Goodman's estimate.

    Args:
        times: how many n-grams came once, twice, three times, four times.
    """
    one, two, three, four = (max(1, number) for number in times)
    share = one / (one + 2 * two)
    estimates = (1 - 2 * share * two / one, 2 - 3 * share * three / two, 3 - 4 * share * four / three)
    # The estimate can fail on a tiny or unusual text: a discount is at least 0.1 and below the count.
    held = [min(max(value, 0.1), 0.95 * most) for value, most in zip(estimates, (1, 2, 3), strict=True)]
    return np.array([0.0, *held], np.float32)


def run_lengths(ordered: Keys) -> tuple[Keys, npt.NDArray[np.uint32]]:
    """Return the distinct keys of a sorted array, and the count of each."""
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return ordered[starts], np.diff(starts, append=len(ordered)).astype(np.uint32)


def places_of(keys: Keys, wanted: Keys) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """Return the index of each wanted key, and whether it exists; the index of a missing key is arbitrary."""
    found = np.searchsorted(keys, wanted)
    found[found == len(keys)] = 0
    return found, keys[found] == wanted
