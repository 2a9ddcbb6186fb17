"""An expert whose contexts form chains: modified Kneser-Ney smoothing (Chen and Goodman 1999) along them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from textgen.experts.chains.arrays import to_arrays
from textgen.experts.chains.chain import BEFORE, LEVELS, Chains, Divided
from textgen.experts.chains.counting import ChainCounts
from textgen.experts.expert import Arrays, Expected, confide, unconfident
from textgen.experts.ngram_order import DISCOUNTED, Floats, Integers, Keys, Numbers, mix, places_of


class Chained(ABC):
    """The counted model, without what says which contexts there are.

    Attributes:
        name: as in a bundle's ``spec.json``.
        vocabulary: number of tokens.
        counted: what was counted.
    """

    name: ClassVar[str]
    before = BEFORE
    confidences = 2 * LEVELS

    def __init__(self, vocabulary: int, counted: ChainCounts) -> None:
        """Keep the counts."""
        self.vocabulary = vocabulary
        self.counted = counted

    @abstractmethod
    def divided(self, windows: Numbers) -> Divided:
        """Return texts divided into pieces, those that were counted.

        Args:
            windows: tokens, shape (texts, tokens).
        """

    @abstractmethod
    def of(self, tokens: Numbers) -> Self:
        """Return the model of another text; see `textgen.experts.expert.Expert.of`."""

    @abstractmethod
    def joined(self, other: Self) -> Self:
        """Return the model of both texts together; see `textgen.experts.chains.joining.joined`."""

    def to_arrays(self) -> Arrays:
        """Return the model as small plain arrays, which `from_arrays` reads."""
        return to_arrays(self.name, self.counted)

    @classmethod
    @abstractmethod
    def from_arrays(cls, vocabulary: int, arrays: Arrays) -> Self:
        """Return the model that `to_arrays` described.

        Raises:
            BundleError: the arrays do not fit each other.
        """

    @property
    def entries(self) -> int:
        """Number of counts."""
        return len(self.counted.counts.last)

    @property
    def memory(self) -> int:
        """Bytes of memory, including what has been computed on demand so far."""
        counted = self.counted
        return counted.pieces.memory + counted.contexts.memory + counted.counts.memory

    def alone(self) -> Floats:
        """Return the tokens' probabilities without any context, shape (1, vocabulary)."""
        found, only = self._uniform(1), np.zeros(1, np.int64)
        mix(found, self.counted.counts, only, only, self.counted.counts.shares[:1])
        return found

    def expect(self, windows: Numbers) -> Expected:
        """Return what is expected; see `textgen.experts.expert.Expert.expect`."""
        counts = self.counted.counts
        chains = self._chains(windows, BEFORE - 1)
        rows, contexts = np.arange(chains.keys.shape[1]), np.zeros(chains.keys.shape[1], np.int64)
        found = np.repeat(self.alone(), len(rows), axis=0)
        confidences = unconfident(len(rows), self.confidences)
        for depth in range(LEVELS):
            rows, contexts = self._deeper(chains, depth, rows, contexts)
            if not len(rows):
                break
            shares = counts.shares[contexts]
            mix(found, counts, rows, contexts, shares)
            confide(confidences, rows, counts.levels[contexts] - 1, counts.totals[contexts], shares)
        return self._shaped(windows, BEFORE - 1, found, confidences)

    def leave_one_out(self, windows: Numbers, seen: npt.NDArray[np.integer[Any]] | None = None) -> Expected:
        """Return what is expected without each position; see `textgen.experts.expert.Expert.leave_one_out`.

        If a count was 1, leaving it out also lowers the count after the next shorter context, and so on.
        """
        counts = self.counted.counts
        chains = self._chains(windows[:, :-1], BEFORE)
        targets = windows[:, BEFORE + 1 :].reshape(-1).astype(np.int64)
        positions = len(targets)
        rows, contexts = np.arange(positions), np.zeros(positions, np.int64)
        path = [(rows, contexts)]
        for depth in range(LEVELS):
            rows, contexts = self._deeper(chains, depth, rows, contexts)
            path.append((rows, contexts))
        places, losses = [], []
        lost = np.ones(positions, bool)
        for rows, contexts in reversed(path):
            place, known = places_of(self._entries, self._keys_of(contexts, targets[rows]))
            lost[rows] &= known
            places.append(place)
            losses.append(lost[rows])
            lost[rows] &= counts.counts[place] == 1
        found, confidences = self._uniform(positions), unconfident(positions, self.confidences)
        remaining = np.ones(positions, bool)
        for depth, (rows, contexts) in enumerate(path):
            place, lost = places[-1 - depth], losses[-1 - depth]
            totals = counts.totals[contexts] - lost
            known = remaining[rows] & (totals > 0) & counts.often[contexts]
            if seen is not None and depth:
                known &= seen.reshape(-1)[rows] >= chains.lengths[depth - 1, rows]
            remaining[rows] = known
            rows, contexts, place = rows[known], contexts[known], place[known]
            lost, totals = lost[known], totals[known]
            if not len(rows):
                break
            # A count that is lower by one may have another discount.
            discounts = counts.by_level[counts.levels[contexts]]
            count = np.minimum(counts.counts[place], DISCOUNTED + 1).astype(np.intp)
            less = np.where(lost, _at(discounts, np.minimum(count, DISCOUNTED)), np.float32(0))
            less -= np.where(lost, _at(discounts, np.maximum(count, 1) - 1), np.float32(0))
            shares = (counts.discounted[contexts] - less) / totals
            mix(found, counts, rows, contexts, shares, totals)
            changed = rows[lost]
            found[changed, targets[changed]] += (less[lost] - 1) / totals[lost]
            if depth:
                confide(confidences, rows, counts.levels[contexts] - 1, totals, shares)
        # A token that was counted only here has probability 0, and rounding may even leave less.
        np.maximum(found, np.float32(1e-9), out=found)
        return self._shaped(windows, BEFORE + 1, found, confidences)

    def _chains(self, windows: Numbers, first: int) -> Chains:
        """Return the contexts after each token from a column on."""
        texts, width = windows.shape
        places = np.arange(texts)[:, None] * width + np.arange(first, width)
        return self.divided(windows).chains(places.reshape(-1).astype(np.int32))

    def _deeper(
        self, chains: Chains, depth: int, rows: Integers, contexts: Integers
    ) -> tuple[Integers, Integers]:
        """Return the positions whose next longer context is known, and those contexts."""
        keys = chains.keys[depth, rows].astype(np.int64)
        rows, contexts, keys = (each[keys >= 0] for each in (rows, contexts, keys))
        found, known = self.counted.contexts.find(contexts, keys)
        return rows[known], found[known]

    @cached_property
    def _entries(self) -> Keys:
        """The context and the token of each count as sorted numbers. Only training needs them."""
        counts = self.counted.counts
        contexts = np.repeat(np.arange(len(counts.levels)), np.diff(counts.starts))
        return self._keys_of(contexts, counts.last)

    def _keys_of(self, contexts: Integers, tokens: Numbers) -> Keys:
        return contexts.astype(np.uint64) * np.uint64(self.vocabulary) + tokens.astype(np.uint64)

    def _shaped(self, windows: Numbers, first: int, found: Floats, confidences: Floats) -> Expected:
        shape = len(windows), windows.shape[1] - first
        return Expected(found.reshape(*shape, -1), confidences.reshape(*shape, -1))

    def _uniform(self, positions: int) -> Floats:
        return np.full((positions, self.vocabulary), 1 / self.vocabulary, np.float32)


def _at(table: Floats, column: npt.NDArray[np.intp]) -> Floats:
    return table[np.arange(len(table)), column]
