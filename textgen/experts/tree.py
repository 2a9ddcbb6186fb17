"""A tree of numbered nodes: which node lies beneath which, by which key.

Nodes are numbered by depth, and beneath each node by rising keys. So the children of a node stand side by
side, and the edges are in order as a whole: an edge is found by bisection, exactly, without a hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.errors import BundleError
from textgen.experts.ngram_order import Integers, Keys, Numbers, places_of

_HALF = np.uint64(32)
_DENSE = 8
"""A range of keys up to so many times as long as the list is numbered by a table instead of by sorting."""


@dataclass(frozen=True)
class Tree:
    """A tree.

    Attributes:
        keys: the key that leads to each node from its parent, shape (nodes,); 0 for the root.
        children: the number of each node's first child, then the number of nodes; shape (nodes + 1,).
    """

    keys: npt.NDArray[np.uint32]
    children: npt.NDArray[np.int32]

    @classmethod
    def of(cls, depths: Sequence[Keys]) -> Tree:
        """Return the tree of edges as `edge` returns them.

        Args:
            depths: the edges to the nodes of depth 1, 2, ..., each in order.
        """
        edges = np.concatenate([np.zeros(0, np.uint64), *depths])
        keys = np.concatenate([np.zeros(1, np.uint32), (edges & np.uint64(2**32 - 1)).astype(np.uint32)])
        beneath = np.bincount((edges >> _HALF).astype(np.int64), minlength=len(keys))
        return cls(keys, _first_children(beneath))

    @classmethod
    def checked(cls, keys: Numbers, beneath: Numbers, what: str) -> Tree:
        """Return the tree that `keys` and `beneath` of another describe.

        Args:
            keys: shape (nodes,).
            beneath: number of children of each node, same shape.
            what: of what, for the error's message.

        Raises:
            BundleError: this is no tree.
        """
        if len(keys) != len(beneath) or not len(keys) or beneath.sum(dtype=np.int64) != len(keys) - 1:
            raise BundleError(f"the {what} do not fit each other")
        tree = cls(keys.astype(np.uint32), _first_children(beneath))
        edges = tree._edges
        below = (tree.children[:-1] > np.arange(len(keys))).all()
        if not (below and (edges[1:] > edges[:-1]).all()):
            raise BundleError(f"the {what} are not in order")
        return tree

    @property
    def nodes(self) -> int:
        """Number of nodes, the root included."""
        return len(self.keys)

    @property
    def beneath(self) -> npt.NDArray[np.int32]:
        """Number of children of each node, shape (nodes,)."""
        return np.diff(self.children)

    @property
    def memory(self) -> int:
        """Bytes of memory, including what has been computed on demand so far."""
        return sum(value.nbytes for value in vars(self).values())

    def parents(self) -> Integers:
        """Return the parent of each node, shape (nodes,); 0 for the root."""
        return np.concatenate([np.zeros(1, np.int64), np.repeat(np.arange(self.nodes), self.beneath)])

    def find(self, parents: Integers, keys: Numbers) -> tuple[Integers, npt.NDArray[np.bool_]]:
        """Return the node beneath each parent by a key, and whether it exists.

        The number of a missing node is arbitrary, but below `nodes`.
        """
        if self.nodes == 1:
            return np.zeros(len(parents), np.int64), np.zeros(len(parents), bool)
        places, known = places_of(self._edges, edge(parents, keys))
        return places + 1, known

    @cached_property
    def _edges(self) -> Keys:
        """The edges to all nodes but the root. Compiled code does without them."""
        return edge(self.parents()[1:], self.keys[1:])


def edge(parents: Numbers, keys: Numbers) -> Keys:
    """Return parents and keys as numbers of 64 bits, in the order of the pairs."""
    return (parents.astype(np.uint64) << _HALF) | keys.astype(np.uint64)


def numbered(parents: Integers, keys: Numbers) -> tuple[Keys, Integers]:
    """Return the distinct edges in order, and the place of each pair among them.

    Args:
        parents: numbers of nodes, shape (pairs,), at least one.
        keys: below 2**32, same shape.
    """
    low, span = int(parents.min()), int(keys.max()) + 1
    joined = (parents - low) * span + keys
    highest = int(joined.max())
    if highest < _DENSE * len(joined):
        present = np.zeros(highest + 1, bool)
        present[joined] = True
        distinct, places = np.flatnonzero(present), (np.cumsum(present) - 1)[joined]
    else:
        ordered, order = in_order(joined)
        starts = _changes(ordered)
        places = np.empty(len(joined), np.int64)
        places[order] = np.cumsum(starts) - 1
        distinct = ordered[starts]
    return edge(distinct // span + low, distinct % span), places


def summed(keys: Integers, weights: Integers) -> tuple[Integers, Integers]:
    """Return the distinct keys in order, and the sum of each one's weights."""
    ordered, order = in_order(keys)
    starts = np.flatnonzero(_changes(ordered))
    return ordered[starts], np.add.reduceat(weights[order], starts)


def in_order(keys: Integers) -> tuple[Integers, Integers]:
    """Return keys in order, and the place where each one was.

    Sorting numbers that hold the key and its place is several times as fast as sorting places by keys.
    """
    bits = len(keys).bit_length()
    if int(keys.max(initial=0)) >> (63 - bits):
        order = np.argsort(keys)
        return keys[order], order
    packed = (keys << bits) | np.arange(len(keys))
    packed.sort()
    return packed >> bits, packed & ((1 << bits) - 1)


def _changes(ordered: Integers) -> npt.NDArray[np.bool_]:
    """Return where another key begins."""
    found = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=found[1:])
    return found


def _first_children(beneath: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    return np.cumsum(np.concatenate([np.ones(1, np.int32), beneath]), dtype=np.int32)
