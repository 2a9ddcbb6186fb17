"""What look-ups of chained contexts share in NumPy: one text and one token at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from textgen.experts.chains.chain import BEFORE, LEVEL_BITS
from textgen.experts.chains.expert import Chained
from textgen.experts.expert import logged
from textgen.experts.ngram_order import Floats

_KEPT_PIECES = 50_000


class ChainLookup:
    """Goes down the chain of one position."""

    before = BEFORE

    def __init__(self, expert: Chained) -> None:
        """Begin with an empty cache of pieces."""
        self._expert = expert
        self._alone = expert.alone()[0]
        self._nodes: dict[tuple[int, ...], int] = {}

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
