"""What look-ups of chained contexts share in NumPy: one text and one token at a time."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from textgen.experts.chains.chain import BEFORE, LEVEL_BITS
from textgen.experts.chains.expert import Chained
from textgen.experts.expert import Expected, logged
from textgen.experts.ngram_order import Floats

_KEPT_PIECES = 50_000


class ChainLookup(ABC):
    """Returns what an expert expects: goes down the chain of each position, if these are few.

    Attributes:
        few: up to this number of positions, one lookup each is faster than one for all.
    """

    before = BEFORE
    few: ClassVar[float] = math.inf

    def __init__(self, expert: Chained) -> None:
        """Begin with an empty cache of pieces."""
        self._expert = expert
        self._alone = expert.alone()[0]
        self._nodes: dict[tuple[int, ...], int] = {}

    def expect(self, windows: npt.NDArray[np.floating]) -> Expected:
        """Return what is expected; see `textgen.inference.lookups.Lookup.expect`."""
        numbers = windows.astype(np.int64)
        if windows.shape[1] != BEFORE or len(windows) > self.few:
            return self._expert.expect(numbers)
        rows = [self._one(tokens) for tokens in numbers.tolist()]
        return Expected(*(np.stack(part)[:, None] for part in zip(*rows, strict=True)))

    @abstractmethod
    def _one(self, tokens: list[int]) -> tuple[Floats, Floats]:
        """Return the probabilities and confidences after `BEFORE` tokens."""

    def _deeper(self, found: Floats, confidences: Floats, context: int, node: int, level: int) -> int:
        """Mix the next longer context into what is found; return its number, or -1 if it is not known."""
        if node < 0:
            return -1
        contexts, counts = self._expert.counted.contexts, self._expert.counted.counts
        context = _child(contexts.keys, contexts.children, context, node << LEVEL_BITS | level)
        if context >= 0:
            share = counts.shares[context]
            beneath = slice(int(counts.starts[context]), int(counts.starts[context + 1]))
            found *= share
            found[counts.last[beneath]] += counts.relative[beneath]
            confidences[2 * level - 2] = logged(counts.totals[context])
            confidences[2 * level - 1] = share
        return context

    def _node(self, piece: tuple[int, ...]) -> int:
        """Return the node of a piece, or -1."""
        node = self._nodes.get(piece)
        if node is None:
            pieces, node = self._expert.counted.pieces, 0
            for token in piece:
                node = _child(pieces.keys, pieces.children, node, token)
                if node < 0:
                    break
            if len(self._nodes) >= _KEPT_PIECES:
                self._nodes.clear()
            self._nodes[piece] = node
        return node


def _child(keys: npt.NDArray[np.uint32], children: npt.NDArray[np.int32], node: int, key: int) -> int:
    first, end = int(children[node]), int(children[node + 1])
    place = first + int(keys[first:end].searchsorted(np.uint32(key)))
    return place if place < end and int(keys[place]) == key else -1
