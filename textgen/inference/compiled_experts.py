"""The experts' part in a step, compiled (`experts.c`). Lookups are as fast as a cache, so there is none."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.experts.expert import LOGS, Expert
from textgen.experts.kneser_ney import KneserNey
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


class _Words(ctypes.Structure):
    _fields_ = [
        *((name, _Tree) for name in ("pieces", "contexts")),
        ("counts", _Counts),
        *((name, ctypes.c_void_p) for name in ("kinds", "discounts", "alone")),
    ]


class _Experts(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("vocabulary", "before", "logged")),
        *((name, ctypes.c_void_p) for name in ("ngrams", "words", "logs")),
    ]


class CompiledExperts:
    """Returns what experts expect, equal to the bit to `textgen.inference.lookups`.

    Attributes:
        described: the structure that compiled code reads.
    """

    def __init__(self, experts: Sequence[Expert], code: ctypes.CDLL) -> None:
        """Describe the counts to compiled code, without a copy.

        Args:
            experts: the n-grams, and perhaps the words.
            code: the compiled library that holds `experts.c`.
        """
        self._code = code
        # Keep the arrays alive: the code knows only their addresses.
        self._kept: list[Any] = [tuple(experts)]
        addresses: dict[str, int] = {}
        for expert in experts:
            if isinstance(expert, KneserNey):
                addresses[expert.name] = self._ngrams(expert)
            elif isinstance(expert, Words):
                addresses[expert.name] = self._words(expert)
        self._experts, self._vocabulary = len(experts), experts[0].vocabulary
        self._before = max(expert.before for expert in experts)
        self._confidences = sum(expert.confidences for expert in experts)
        self.described = _Experts(
            *(self._vocabulary, self._before, len(LOGS)),
            *(addresses[KneserNey.name], addresses.get(Words.name)),
            LOGS.ctypes.data,
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
        self._kept.append(orders)
        return self._keep(_Ngrams(counted.order, ctypes.addressof(orders), self._array(counted.alone())))

    def _words(self, words: Words) -> int:
        counted = words.counted
        trees = (
            _Tree(self._array(tree.keys), self._array(tree.children))
            for tree in (counted.pieces, counted.contexts)
        )
        arrays: tuple[npt.NDArray[Any], ...] = words.kinds, counted.counts.by_level, words.alone()
        return self._keep(_Words(*trees, self._counts(counted.counts), *map(self._array, arrays)))

    def _counts(self, order: Order) -> _Counts:
        arrays = order.last, order.counts, order.starts
        return _Counts(order.last.itemsize, order.counts.itemsize, *map(self._array, arrays))

    def _array(self, array: npt.NDArray[Any]) -> int:
        self._kept.append(array)
        return int(array.ctypes.data)

    def _keep(self, structure: ctypes.Structure) -> int:
        self._kept.append(structure)
        return ctypes.addressof(structure)
