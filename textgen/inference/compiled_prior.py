"""The n-grams' part in a step, compiled (`ngrams.c`). Lookups are as fast as a cache, so there is none."""

from __future__ import annotations

import ctypes

import numpy as np
import numpy.typing as npt

from textgen.experts.kneser_ney import KneserNey
from textgen.experts.ngram_order import Order
from textgen.inference.numerics import Float64


class _Order(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("last_bytes", "count_bytes")),
        *((name, ctypes.c_void_p) for name in ("last", "counts", "starts")),
        ("discounts", ctypes.c_float * 4),
    ]


class _Ngrams(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("vocabulary", "longest")),
        *((name, ctypes.c_void_p) for name in ("orders", "alone")),
    ]


class CompiledPrior:
    """Returns an n-gram model's probabilities, equal to the bit to those of `textgen.inference.prior.Prior`.

    Attributes:
        ngrams: the structure that compiled code reads.
    """

    def __init__(self, counted: KneserNey, code: ctypes.CDLL) -> None:
        """Describe the n-grams to compiled code, without a copy.

        Args:
            counted: the n-grams.
            code: the compiled library that holds `ngrams.c`.
        """
        self._code = code
        # Keep the arrays alive: the code knows only their addresses.
        self._counted, self._alone = counted, counted.alone()
        self._orders = (_Order * counted.order)(*map(_described, counted.orders))
        orders = ctypes.addressof(self._orders)
        self.ngrams = _Ngrams(counted.vocabulary, counted.order, orders, self._alone.ctypes.data)

    def probabilities(self, contexts: npt.NDArray[np.floating]) -> Float64:
        """Return all tokens' probabilities, shape (positions, vocabulary).

        Args:
            contexts: the tokens before each position, shape (positions, before).
        """
        before = np.ascontiguousarray(contexts, np.float32)
        row = np.empty(self._counted.vocabulary, np.float32)
        expected = np.empty((len(before), len(row)))
        addresses = (array.ctypes.data for array in (before, row, expected))
        self._code.ngrams_expect(ctypes.byref(self.ngrams), len(before), *addresses)
        return expected


def _described(order: Order) -> _Order:
    discounts = (ctypes.c_float * 4)(*order.discounts.tolist())
    addresses = (array.ctypes.data for array in (order.last, order.counts, order.starts))
    return _Order(order.last.itemsize, order.counts.itemsize, *addresses, discounts)
