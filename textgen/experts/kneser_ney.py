"""An n-gram model counted from the training text. The cell ``linear`` corrects its probabilities.

Interpolated modified Kneser-Ney smoothing (Chen and Goodman 1999, "An Empirical Study of Smoothing
Techniques for Language Modeling"). Counting takes a fraction of a second. In training, each position is
predicted as if it had not been counted (`KneserNey.leave_one_out`). Otherwise the network would trust the
counts too much: they include the very token that it predicts.

An n-gram is stored as a number in base ``vocabulary`` that fits into 64 bits, so two different n-grams
never have the same number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from textgen.errors import BundleError
from textgen.experts.counting import count, order_for, orders_of
from textgen.experts.expert import Arrays, Expected, confide, logged, unconfident
from textgen.experts.ngram_order import DISCOUNTED, Floats, Integers, Keys, Numbers, Order, mix, places_of

MOST_ENTRIES = 16_000_000
"""Most n-grams of one length that are read from a file: four times what a text is counted for."""


class KneserNey:
    """The counted model. Create one with `count` or `from_arrays`.

    Attributes:
        vocabulary: number of tokens.
        orders: the n-grams of length 1, 2, ...
    """

    def __init__(self, vocabulary: int, orders: tuple[Order, ...]) -> None:
        """Keep the n-grams."""
        self.vocabulary = vocabulary
        self.orders = orders
        self._powers = np.uint64(vocabulary) ** np.arange(len(orders) + 1, dtype=np.uint64)

    @classmethod
    def count(cls, tokens: Numbers, vocabulary: int, order: int | None = None) -> KneserNey:
        """Return the model of a text, or of pieces of it; see `textgen.experts.counting.count`."""
        return cls(vocabulary, count(tokens, vocabulary, order))

    name: ClassVar[str] = "characters"

    @property
    def confidences(self) -> int:
        """Two numbers for each length from 2 on: the n-grams of length 1 are always the same."""
        return 2 * (len(self.orders) - 1)

    @property
    def order(self) -> int:
        """Length of the longest n-grams."""
        return len(self.orders)

    @property
    def before(self) -> int:
        """How many tokens before a position its prediction looks at."""
        return len(self.orders) - 1

    @property
    def entries(self) -> int:
        """Number of n-grams of all lengths."""
        return sum(len(order.last) for order in self.orders)

    @property
    def memory(self) -> int:
        """Bytes of memory, including what has been computed on demand so far."""
        keys: tuple[Keys, ...] = vars(self).get("_keys", ())
        return sum(order.memory for order in self.orders) + sum(each.nbytes for each in keys)

    def of(self, tokens: Numbers) -> KneserNey:
        """Return the model of another text; see `textgen.experts.expert.Expert.of`."""
        return KneserNey.count(tokens, self.vocabulary, self.order)

    def joined(self, other: KneserNey) -> KneserNey:
        """Return the model of both texts together.

        The larger of the two vocabularies is used; its first tokens must be those of the smaller one.
        """
        vocabulary = max(self.vocabulary, other.vocabulary)
        order = min(self.order, other.order, order_for(vocabulary))
        keys = np.concatenate([model._longest(order, vocabulary) for model in (self, other)])
        counts = np.concatenate([model.orders[-1].counts for model in (self, other)])
        unique, places = np.unique(keys, return_inverse=True)
        summed = np.bincount(places, counts).astype(np.uint32)
        return KneserNey(vocabulary, orders_of(vocabulary, order, unique, summed))

    def _longest(self, order: int, vocabulary: int) -> Keys:
        """Return the ends of the longest n-grams, ``order`` tokens each, as keys in another base."""
        rest = self._keys[self.order].copy()
        result = np.zeros(len(rest), np.uint64)
        for place in range(order):
            rest, token = np.divmod(rest, np.uint64(self.vocabulary))
            result += token * np.uint64(vocabulary) ** np.uint64(place)
        return result

    def alone(self) -> Floats:
        """Return the tokens' probabilities without any context, shape (1, vocabulary)."""
        found, only = self._uniform(1), np.zeros(1, np.int64)
        mix(found, self.orders[0], only, only, self.orders[0].shares)
        return found

    def expect(self, windows: Numbers) -> Expected:
        """Return what is expected; see `textgen.experts.expert.Expert.expect`."""
        contexts = np.lib.stride_tricks.sliding_window_view(windows, self.before, axis=1)
        shape, flat = contexts.shape[:2], contexts.reshape(math.prod(contexts.shape[:2]), self.before)
        found, confidences = self._uniform(len(flat)), unconfident(len(flat), self.confidences)
        self.refine(found, flat, 1, self.order, confidences)
        return Expected(found.reshape(*shape, -1), confidences.reshape(*shape, self.confidences))

    def refine(self, found: Floats, contexts: Numbers, first: int, last: int, confidences: Floats) -> None:
        """Mix the n-grams of length ``first`` to ``last`` into the probabilities of shorter ones, in place.

        Args:
            found: the probabilities of shorter ones, shape (positions, vocabulary); uniform before length 1.
            contexts: at least the ``last - 1`` tokens before each position, shape (positions, tokens).
            first: shortest length.
            last: longest.
            confidences: where to note them, shape (positions, confidences).
        """
        key = np.zeros(len(contexts), np.uint64)
        for back in range(1, first - 1):
            key += contexts[:, -back].astype(np.uint64) * self._powers[back - 1]
        for length in range(first, last + 1):
            if length > 1:
                key += contexts[:, 1 - length].astype(np.uint64) * self._powers[length - 2]
            index, known = places_of(self._keys[length - 1], key)
            # A context that never came changes nothing.
            rows = np.flatnonzero(known)
            if not len(rows):
                return
            order, index = self.orders[length - 1], index[rows]
            mix(found, order, rows, index, order.shares[index])
            if length > 1:
                confide(confidences, rows, length - 2, order.totals[index], order.shares[index])

    def refine_one(
        self, found: Floats, context: Sequence[int], first: int, last: int, confidences: Floats
    ) -> None:
        """Do the same as `refine` for one position and lengths from 2; found: (vocabulary,)."""
        for length in range(first, last + 1):
            key = 0
            for token in context[1 - length :]:
                key = key * self.vocabulary + token
            keys = self._keys[length - 1]
            place = int(keys.searchsorted(np.uint64(key)))
            if place == len(keys) or int(keys[place]) != key:
                return
            order = self.orders[length - 1]
            beneath = slice(int(order.starts[place]), int(order.starts[place + 1]))
            found *= order.shares[place]
            found[order.last[beneath]] += order.relative[beneath]
            confidences[2 * length - 4] = logged(order.totals[place])
            confidences[2 * length - 3] = order.shares[place]

    def leave_one_out(self, windows: Numbers, seen: npt.NDArray[np.integer[Any]] | None = None) -> Expected:
        """Return what is expected without each position; see `textgen.experts.expert.Expert.leave_one_out`.

        If an n-gram was counted only once, leaving it out also lowers the count of the next shorter n-gram
        by one: that one came after one token less. This repeats down to length 1.
        """
        texts, time = len(windows), windows.shape[1] - self.order
        grams = np.lib.stride_tricks.sliding_window_view(windows[:, 1:], self.order, axis=1)
        grams = grams.reshape(texts * time, self.order).astype(np.uint64)
        keys = [np.zeros(len(grams), np.uint64)]
        for length in range(self.order):
            keys.append(keys[-1] + grams[:, -1 - length] * self._powers[length])
        places, losses = [], []
        lost = np.ones(len(grams), bool)
        for length, order in reversed(list(enumerate(self.orders, start=1))):
            place, known = places_of(self._keys[length], keys[length])
            lost = lost & known
            places.append(place)
            losses.append(lost)
            lost = lost & (order.counts[place] == 1)
        found, confidences = self._uniform(len(grams)), unconfident(len(grams), self.confidences)
        for length, order in enumerate(self.orders, start=1):
            place, lost = places[-length], losses[-length]
            index, known = places_of(self._keys[length - 1], keys[length] // self._powers[1])
            count = np.minimum(order.counts[place], DISCOUNTED + 1).astype(np.intp)
            # A count that is lower by one may have another discount.
            less = order.discounts[np.minimum(count, DISCOUNTED)] - order.discounts[np.maximum(count, 1) - 1]
            less = np.where(lost, less, np.float32(0))
            totals = order.totals[index] - lost
            known &= totals > 0
            if seen is not None:
                known &= seen.reshape(-1) >= length - 1
            rows = np.flatnonzero(known)
            if not len(rows):
                break
            shares = (order.discounted[index] - less)[rows] / totals[rows]
            mix(found, order, rows, index[rows], shares, totals[rows])
            if length > 1:
                confide(confidences, rows, length - 2, totals[rows], shares)
            changed = rows[lost[rows]]
            found[changed, order.last[place[changed]]] += (less[changed] - 1) / totals[changed]
        # A token that was counted only here has probability 0, and rounding may even leave less.
        np.maximum(found, np.float32(1e-9), out=found)
        return Expected(
            found.reshape(texts, time, self.vocabulary), confidences.reshape(texts, time, self.confidences)
        )

    def to_arrays(self) -> Arrays:
        """Return the model as small plain arrays, which `from_arrays` reads.

        For each length: the last tokens (``tokens1``, ...), the ``counts``, and the number of n-grams that
        extend each n-gram that is one token shorter (``beneath``).
        """
        arrays: Arrays = {}
        for length, order in enumerate(self.orders, start=1):
            beneath = np.diff(order.starts)
            arrays[f"tokens{length}"] = order.last
            arrays[f"counts{length}"] = order.counts.astype(np.min_scalar_type(int(order.counts.max())))
            arrays[f"beneath{length}"] = beneath.astype(np.min_scalar_type(int(beneath.max())))
        return arrays

    @classmethod
    def from_arrays(cls, vocabulary: int, order: int, arrays: Arrays) -> KneserNey:
        """Return the model that `to_arrays` described.

        Raises:
            BundleError: the arrays do not fit each other.
        """
        kinds = ("tokens", "counts", "beneath")
        names = {f"{kind}{length}" for kind in kinds for length in range(1, order + 1)}
        if set(arrays) != names or not 1 <= order <= order_for(vocabulary):
            raise BundleError(f"the counts hold {', '.join(sorted(arrays))[:80]}; expected {order} lengths")
        contexts = 1
        orders = []
        for length in range(1, order + 1):
            last, counts, beneath = (arrays[f"{kind}{length}"] for kind in kinds)
            for array in (last, counts, beneath):
                if array.ndim != 1 or array.dtype not in (np.uint8, np.uint16, np.uint32) or not len(array):
                    raise BundleError(f"the counts of length {length} are not lists of whole numbers")
            if len(last) > MOST_ENTRIES:
                raise BundleError(
                    f"the counts of length {length} have {len(last):,} entries; at most {MOST_ENTRIES:,} "
                    "are read"
                )
            starts = Order.checked_starts(last, counts, beneath, contexts, vocabulary, f"length {length}")
            orders.append(Order(last, counts, starts))
            contexts = len(last)
        return cls(vocabulary, tuple(orders))

    def find(self, length: int, keys: Keys) -> tuple[Integers, npt.NDArray[np.bool_]]:
        """Return the index of each n-gram of one length, and whether it was counted (`places_of`).

        Args:
            length: number of tokens, 0 to `order`.
            keys: the n-grams as numbers in base ``vocabulary``, the last token as the last digit.
        """
        return places_of(self._keys[length], keys)

    @cached_property
    def _keys(self) -> tuple[Keys, ...]:
        """The n-grams of length 0, 1, ... as sorted numbers; the n-gram of length 0 is the number 0.

        The compiled step does not need them, so they are computed on demand.
        """
        keys = [np.zeros(1, np.uint64)]
        for order in self.orders:
            contexts = np.repeat(keys[-1], np.diff(order.starts))
            keys.append(contexts * np.uint64(self.vocabulary) + order.last.astype(np.uint64))
        return tuple(keys)

    def _uniform(self, positions: int) -> Floats:
        return np.full((positions, self.vocabulary), 1 / self.vocabulary, np.float32)
