"""The n-grams' part in a step: their probabilities, with a cache for frequent contexts."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from textgen.experts.kneser_ney import KneserNey
from textgen.inference.numerics import Float64

_KEPT_LENGTH = 4
"""Longest n-grams whose probabilities are cached: at character level their contexts come again and again."""

_KEPT_BYTES = 4 << 20

_FEW = 6
"""Up to this number of positions, one lookup each is faster than one for all."""


class Expectation(Protocol):
    """Anything that returns the probabilities of an n-gram model."""

    def probabilities(self, contexts: npt.NDArray[np.floating]) -> Float64:
        """Return all tokens' probabilities after each context, shape (positions, vocabulary)."""
        ...


class Prior:
    """Returns an n-gram model's probabilities, for a few positions or for many."""

    def __init__(self, counted: KneserNey) -> None:
        """Begin with an empty cache."""
        self._counted = counted
        self._length = min(_KEPT_LENGTH, counted.order)
        self._kept: dict[tuple[float, ...], npt.NDArray[np.float32]] = {}
        self._alone = counted.alone()
        self._most = max(1, _KEPT_BYTES // (4 * counted.vocabulary))

    def probabilities(self, contexts: npt.NDArray[np.floating]) -> Float64:
        """Return all tokens' probabilities, shape (positions, vocabulary).

        Args:
            contexts: the tokens before each position, shape (positions, before).
        """
        numbers = contexts.astype(np.uint64)
        short = contexts[:, contexts.shape[1] - (self._length - 1) :].tolist()
        names = [tuple(context) for context in short]
        missing = [row for row, name in enumerate(names) if name not in self._kept]
        if missing:
            if len(missing) > self._most:
                return self._counted.probabilities(numbers).astype(np.float64)
            self._keep(names, missing, numbers)
        found = np.array([self._kept[name] for name in names])
        if len(names) <= _FEW:
            for row, context in zip(found, numbers.tolist(), strict=True):
                self._counted.refine_one(row, context, self._length + 1, self._counted.order)
        else:
            self._counted.refine(found, numbers, self._length + 1, self._counted.order)
        return found.astype(np.float64)

    def _keep(
        self, names: list[tuple[float, ...]], missing: list[int], numbers: npt.NDArray[np.uint64]
    ) -> None:
        if len(self._kept) + len(names) > self._most:
            # Emptying the cache is simpler than tracking ages: frequent contexts return at once.
            kept = {name: self._kept[name] for name in names if name in self._kept}
            self._kept = kept
        found = np.repeat(self._alone, len(missing), axis=0)
        if len(missing) <= _FEW:
            for row, context in zip(found, numbers[missing].tolist(), strict=True):
                self._counted.refine_one(row, context, 2, self._length)
        else:
            self._counted.refine(found, numbers[missing], 2, self._length)
        self._kept.update(zip((names[row] for row in missing), found, strict=True))
