"""The experts' part in a step, compiled (`experts.c`). Lookups are as fast as a cache, so there is none."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.experts.chains.expert import Chained
from textgen.experts.expert import LOGS, Expert
from textgen.experts.kneser_ney import KneserNey
from textgen.experts.long import REACH
from textgen.experts.ngram_order import Order
from textgen.experts.words import Words
from textgen.inference.lookups import Expectation


class _Counts(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("last_bytes", "count_bytes")),
        *((name, ctypes.c_void_p) for name in ("last", "counts", "starts")),
    ]


class _Order(ctypes.Structure):
    _fields_ = [("counts", _Counts), ("discounts", ctypes.c_float * 4)]


class _Ngrams(ctypes.Structure):
    _fields_ = [
        ("longest", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("orders", "alone")),
    ]


class _Tree(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("keys", "children")]


class _Chained(ctypes.Structure):
    _fields_ = [
        *((name, _Tree) for name in ("pieces", "contexts")),
        ("counts", _Counts),
        *((name, ctypes.c_void_p) for name in ("kinds", "reach", "discounts", "alone")),
    ]


class _Experts(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("vocabulary", "before", "logged", "chained")),
        *((name, ctypes.c_void_p) for name in ("ngrams", "chains", "logs")),
    ]


class CompiledExperts:
    """Returns what experts expect, equal to the bit to `textgen.inference.lookups`.

    Attributes:
        described: the structure that compiled code reads.
    """

    def __init__(self, experts: Sequence[Expert], code: ctypes.CDLL) -> None:
        """Describe the counts to compiled code, without a copy.

        Args:
            experts: the n-grams, and those beside them.
            code: the compiled library that holds `experts.c`.
        """
        self._code = code
        # Keep the arrays alive: the code knows only their addresses.
        self._kept: list[Any] = [tuple(experts)]
        ngrams, *others = experts
        if not isinstance(ngrams, KneserNey):
            raise TypeError(f"the first expert is {ngrams!r}; it must be the n-grams")
        chained = (_Chained * len(others))(*map(self._chained, others))
        self._kept.append(chained)
        self._experts, self._vocabulary = len(experts), experts[0].vocabulary
        self._before = max(expert.before for expert in experts)
        self._confidences = sum(expert.confidences for expert in experts)
        self.described = _Experts(
            *(self._vocabulary, self._before, len(LOGS), len(others)),
            *(self._ngrams(ngrams), ctypes.addressof(chained), LOGS.ctypes.data),
        )

    def expect(self, windows: npt.NDArray[np.floating], *, with_confidences: bool) -> Expectation:
        """Return what is expected after each token but the first ``before - 1`` of each text.

        Args:
            windows: shape (texts, before - 1 + time).
            with_confidences: whether they are needed.
        """
        contexts = np.lib.stride_tricks.sliding_window_view(windows, self._before, axis=1)
        flat = np.ascontiguousarray(contexts.reshape(math.prod(contexts.shape[:2]), self._before), np.float32)
        row = np.empty(self._vocabulary, np.float32)
        probabilities = np.empty((self._experts, len(flat), self._vocabulary))
        confidences = np.empty((len(flat), self._confidences if with_confidences else 0))
        self._code.experts_expect(
            ctypes.byref(self.described),
            len(flat),
            *(array.ctypes.data for array in (flat, row, probabilities)),
            confidences.ctypes.data if with_confidences else None,
        )
        return Expectation(probabilities, confidences)

    def _ngrams(self, counted: KneserNey) -> int:
        orders = (_Order * counted.order)(
            *(
                _Order(self._counts(order), (ctypes.c_float * 4)(*order.discounts.tolist()))
                for order in counted.orders
            )
        )
        ngrams = _Ngrams(counted.order, ctypes.addressof(orders), self._array(counted.alone()))
        self._kept += [orders, ngrams]
        return ctypes.addressof(ngrams)

    def _chained(self, expert: Expert) -> _Chained:
        if not isinstance(expert, Chained):
            raise TypeError(f"there is no compiled look-up for {expert!r}")
        counted = expert.counted
        trees = (
            _Tree(self._array(tree.keys), self._array(tree.children))
            for tree in (counted.pieces, counted.contexts)
        )
        kinds = self._array(expert.kinds) if isinstance(expert, Words) else None
        reach = None if isinstance(expert, Words) else self._array(np.array(REACH, np.int64))
        arrays: tuple[npt.NDArray[Any], ...] = counted.counts.by_level, expert.alone()
        return _Chained(*trees, self._counts(counted.counts), kinds, reach, *map(self._array, arrays))

    def _counts(self, order: Order) -> _Counts:
        arrays = order.last, order.counts, order.starts
        return _Counts(order.last.itemsize, order.counts.itemsize, *map(self._array, arrays))

    def _array(self, array: npt.NDArray[Any]) -> int:
        self._kept.append(array)
        return int(array.ctypes.data)
