"""The counts of two texts put together: for a model that learns a further text."""

from __future__ import annotations

import numpy as np

from textgen.experts.chains.chain import LEVEL_BITS
from textgen.experts.chains.counting import ChainCounts, ContextCounts
from textgen.experts.ngram_order import Integers
from textgen.experts.tree import Tree, numbered, summed


def joined(first: ChainCounts, second: ChainCounts, vocabulary: int, characters: int) -> ChainCounts:
    """Return the counts of both, each context with the sum of its counts.

    A shorter context counts longer ones. Those that both texts know count twice in the sum, which makes
    little difference. The discounts are those of the text with more counts.

    Args:
        first: counts of a text.
        second: counts of another; of the two vocabularies one begins with the other.
        vocabulary: the larger one.
        characters: levels whose keys hold tokens and not pieces.
    """
    pieces, (piece, other_piece) = _joined([first.pieces, second.pieces])
    renamed = [
        _renamed(counted.contexts, numbers, characters)
        for counted, numbers in ((first, piece), (second, other_piece))
    ]
    contexts, numbers = _joined([first.contexts, second.contexts], renamed)
    counts = (first.counts, second.counts)
    entries, sums = summed(
        np.concatenate(
            [_entries(each, places, vocabulary) for each, places in zip(counts, numbers, strict=True)]
        ),
        np.concatenate([each.counts.astype(np.int64) for each in counts]),
    )
    owners = entries // vocabulary
    often = np.zeros(contexts.nodes, np.int64)
    for each, places in zip(counts, numbers, strict=True):
        # A context that both know came four times at least.
        often[places] += 1 + each.often
    levels = (contexts.keys & np.uint32((1 << LEVEL_BITS) - 1)).astype(np.uint8)
    starts = np.searchsorted(owners, np.arange(contexts.nodes + 1)).astype(np.int32)
    last = (entries - owners * vocabulary).astype(np.min_scalar_type(vocabulary - 1))
    larger = max(counts, key=lambda each: len(each.last))
    return ChainCounts(
        pieces,
        contexts,
        ContextCounts(last, sums.astype(np.uint32), starts, levels, often > 1, larger.by_level),
    )


def _renamed(contexts: Tree, pieces: Integers, characters: int) -> Integers:
    """Return the keys of contexts with other numbers of the pieces."""
    keys = contexts.keys.astype(np.int64)
    added, level = keys >> LEVEL_BITS, keys & ((1 << LEVEL_BITS) - 1)
    of_pieces = level > characters
    added[of_pieces] = pieces[added[of_pieces]]
    return (added << LEVEL_BITS) | level


def _joined(trees: list[Tree], keys: list[Integers] | None = None) -> tuple[Tree, list[Integers]]:
    """Return the tree that has all nodes of some trees, and the number of each tree's nodes in it.

    Args:
        trees: the trees.
        keys: their keys under new names, or None for their own.
    """
    named = keys or [tree.keys.astype(np.int64) for tree in trees]
    parents = [tree.parents() for tree in trees]
    numbers = [np.zeros(tree.nodes, np.int64) for tree in trees]
    layers = [_layer(tree) for tree in trees]
    nodes, edges = 1, []
    for depth in range(1, 1 + max(int(layer.max()) for layer in layers)):
        here = [np.flatnonzero(layer == depth) for layer in layers]
        above = [number[parent[rows]] for number, parent, rows in zip(numbers, parents, here, strict=True)]
        keyed = [key[rows] for key, rows in zip(named, here, strict=True)]
        found, places = numbered(np.concatenate(above), np.concatenate(keyed))
        edges.append(found)
        for number, rows, place in zip(numbers, here, np.split(places, [len(here[0])]), strict=True):
            number[rows] = nodes + place
        nodes += len(found)
    return Tree.of(edges), numbers


def _layer(tree: Tree) -> Integers:
    """Return the depth of each node."""
    depths = np.zeros(tree.nodes, np.int64)
    first, end, depth = 0, 1, 0
    while first < end:
        depths[first:end] = depth
        first, end, depth = end, int(tree.children[end]), depth + 1
    return depths


def _entries(counts: ContextCounts, contexts: Integers, vocabulary: int) -> Integers:
    owners = np.repeat(contexts, np.diff(counts.starts))
    return owners * vocabulary + counts.last.astype(np.int64)
