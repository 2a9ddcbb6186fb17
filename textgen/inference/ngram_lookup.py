"""Looking up n-grams in NumPy, with a cache for frequent contexts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from textgen.experts.expert import Expected, unconfident
from textgen.experts.kneser_ney import KneserNey
from textgen.experts.ngram_order import Floats

_KEPT_LENGTH = 4
"""Longest n-grams whose probabilities are cached: at character level their contexts come again and again."""

_KEPT_BYTES = 4 << 20

_FEW = 6
"""Up to this number of positions, one lookup each is faster than one for all."""


class NgramLookup:
    """Returns what an n-gram model expects, for a few positions or for many."""

    def __init__(self, counted: KneserNey) -> None:
        """Begin with an empty cache."""
        self._counted = counted
        self.before = counted.before
        self._length = min(_KEPT_LENGTH, counted.order)
        # Probabilities and confidences of each context.
        self._kept: dict[tuple[float, ...], tuple[Floats, Floats]] = {}
        self._alone = counted.alone()
        self._most = max(1, _KEPT_BYTES // (4 * counted.vocabulary))

    def expect(self, windows: npt.NDArray[np.floating]) -> Expected:
        """Return what is expected; see `textgen.inference.lookups.Lookup.expect`."""
        if windows.shape[1] != self.before:
            return self._counted.expect(windows.astype(np.uint64))
        found, confidences = self._of(windows)
        return Expected(found[:, None], confidences[:, None])

    def probabilities(self, contexts: npt.NDArray[np.floating]) -> Floats:
        """Return all tokens' probabilities, shape (positions, vocabulary).

        Args:
            contexts: the `before` tokens before each position, shape (positions, before).
        """
        return self._of(contexts)[0]

    def _of(self, contexts: npt.NDArray[np.floating]) -> tuple[Floats, Floats]:
        counted, numbers = self._counted, contexts.astype(np.uint64)
        short = contexts[:, contexts.shape[1] - (self._length - 1) :].tolist()
        names = [tuple(context) for context in short]
        missing = [row for row, name in enumerate(names) if name not in self._kept]
        if len(missing) > self._most:
            whole = counted.expect(numbers)
            return whole.probabilities[:, 0], whole.confidences[:, 0]
        if missing:
            self._keep(names, missing, numbers)
        found, confidences = (
            np.array(arrays) for arrays in zip(*map(self._kept.__getitem__, names), strict=True)
        )
        if len(names) <= _FEW:
            for row, near, context in zip(found, confidences, numbers.tolist(), strict=True):
                counted.refine_one(row, context, self._length + 1, counted.order, near)
        else:
            counted.refine(found, numbers, self._length + 1, counted.order, confidences)
        return found, confidences

    def _keep(
        self, names: list[tuple[float, ...]], missing: list[int], numbers: npt.NDArray[np.uint64]
    ) -> None:
        if len(self._kept) + len(names) > self._most:
            # Emptying the cache is simpler than tracking ages: frequent contexts return at once.
            self._kept = {name: self._kept[name] for name in names if name in self._kept}
        found = np.repeat(self._alone, len(missing), axis=0)
        confidences = unconfident(len(missing), self._counted.confidences)
        if len(missing) <= _FEW:
            for row, near, context in zip(found, confidences, numbers[missing].tolist(), strict=True):
                self._counted.refine_one(row, context, 2, self._length, near)
        else:
            self._counted.refine(found, numbers[missing], 2, self._length, confidences)
        kept = zip(found, confidences, strict=True)
        self._kept.update(zip((names[row] for row in missing), kept, strict=True))
