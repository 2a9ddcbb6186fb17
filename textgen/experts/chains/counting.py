"""From a text to the counts after chains of contexts.

A context is kept if it is short, or came at least `FEWEST` times: most long contexts came once. Without those
of two words, a text of 1 MB has 0.5 M counts instead of 1.7 M, and less of it is learnt by heart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from textgen.experts.chains.chain import BEFORE, LEVEL_BITS, LEVELS, Divided
from textgen.experts.counting import spread
from textgen.experts.ngram_order import DISCOUNTED, Floats, Integers, Keys, Numbers, Order, discounts_of
from textgen.experts.tree import Tree, numbered, summed

COUNTED_TOKENS = 2_000_000
"""Most tokens that are counted. This takes about three seconds and 300 MB."""

FEWEST = 2
"""How often a long context has to come."""

_AT_ONCE = 1 << 18
_LEVEL = (1 << LEVEL_BITS) - 1


@dataclass(frozen=True)
class ContextCounts(Order):
    """The counts after each context. Every level has discounts of its own.

    Attributes:
        levels: the level of each context, 0 for the empty one; shape (contexts,).
        often: whether a context is known even if it comes once less, same shape.
        by_level: the discounts of counts of 0, 1, 2, and 3 or more, for each level: shape (LEVELS + 1, 4).
            They are estimated from all contexts, those that are not kept included.
    """

    levels: npt.NDArray[np.uint8]
    often: npt.NDArray[np.bool_]
    by_level: Floats

    def _taken(self) -> Floats:
        levels = self.levels.repeat(np.diff(self.starts))
        return self.by_level[levels, np.minimum(self.counts, DISCOUNTED)]


@dataclass(frozen=True)
class ChainCounts:
    """What was counted.

    Attributes:
        pieces: the pieces by their tokens.
        contexts: the contexts by the keys of `textgen.experts.chains.chain.Chains`.
        counts: what came after each context.
    """

    pieces: Tree
    contexts: Tree
    counts: ContextCounts


def count_chains(
    tokens: Numbers, vocabulary: int, divide: Callable[[Numbers], Divided], first_rare: int
) -> ChainCounts:
    """Count a text, or pieces of it (`textgen.experts.counting.spread`).

    Args:
        tokens: shape (tokens,), each below ``vocabulary``.
        vocabulary: number of tokens.
        divide: divides texts, shape (texts, tokens), into pieces.
        first_rare: contexts of this level and above are kept only if they came `FEWEST` times.
    """
    counted = spread(tokens, COUNTED_TOKENS)
    # Before the text stand unknown tokens, as before a sample.
    pieces = divide(np.concatenate([np.zeros(BEFORE, np.int64), counted])[None])
    keys = np.empty((LEVELS, len(counted)), np.int32)
    for first in range(0, len(counted), _AT_ONCE):
        places = np.arange(first, min(first + _AT_ONCE, len(counted)), dtype=np.int32)
        keys[:, first : first + len(places)] = pieces.chains(places + BEFORE - 1).keys
    edges, often, context, rare = _contexts(keys, first_rare)
    tree = Tree.of(edges)
    levels = (tree.keys & np.uint32(_LEVEL)).astype(np.uint8)
    ends = np.cumsum([1, *map(len, edges)])
    entries, counts = _entries(tree.parents(), ends, context * vocabulary + counted, vocabulary)
    contexts = entries // vocabulary
    starts = np.searchsorted(contexts, np.arange(tree.nodes + 1)).astype(np.int32)
    last = (entries - contexts * vocabulary).astype(np.min_scalar_type(vocabulary - 1))
    by_level = _discounts(levels.repeat(np.diff(starts)), counts, rare)
    return ChainCounts(
        pieces.tree, tree, ContextCounts(last, counts.astype(np.uint32), starts, levels, often, by_level)
    )


def _contexts(
    keys: npt.NDArray[np.int32], first_rare: int
) -> tuple[list[Keys], npt.NDArray[np.bool_], Integers, Integers]:
    """Number the contexts.

    Args:
        keys: of each position, shape (LEVELS, positions).
        first_rare: lowest level whose contexts have to come `FEWEST` times.

    Returns:
        The edges to the contexts of each depth, whether a context came more than `FEWEST` times, the
        longest context of each position that is kept, and how many contexts of each level are not kept.
    """
    longest = np.zeros(keys.shape[1], np.int64)
    rows, first = np.arange(keys.shape[1]), 1
    edges, often, dropped = [], [np.ones(1, bool)], np.zeros(LEVELS + 1, np.int64)
    for depth, column in enumerate(keys):
        rows = rows[column[rows] >= 0]
        if not len(rows):
            break
        found, places = numbered(longest[rows], column[rows].astype(np.int64))
        came = np.bincount(places)
        rare = (found & np.uint64(_LEVEL)) >= first_rare
        kept = ~rare | (came >= FEWEST)
        stays = kept[places]
        # Where a context came once, so did all that are longer.
        longer = keys[depth:, rows[~stays]]
        dropped += np.bincount(longer[longer >= 0] & _LEVEL, minlength=LEVELS + 1)
        rows, places = rows[stays], places[stays]
        longest[rows] = (first - 1 + np.cumsum(kept))[places]
        first += int(kept.sum())
        edges.append(found[kept])
        often.append((~rare | (came > FEWEST))[kept])
    return edges, np.concatenate(often), longest, dropped


def _discounts(levels: npt.NDArray[np.uint8], counts: Integers, dropped: Integers) -> Floats:
    """Return the discounts of each level; what came after a context that was not kept has a count of 1."""
    held = np.minimum(counts, 5)
    times = np.bincount(levels * 6 + held, minlength=6 * (LEVELS + 1)).reshape(LEVELS + 1, 6)
    times[:, 1] += dropped
    return np.stack([discounts_of(row[1:5].tolist()) for row in times])


def _entries(parents: Integers, ends: Integers, came: Integers, vocabulary: int) -> tuple[Integers, Integers]:
    """Count what came after each context.

    A token counts once for its longest context, and for a shorter one after how many longer contexts it
    came (Kneser and Ney 1995). A context that was not kept came once, so it is one of these as it is.

    Args:
        parents: of each context.
        ends: the first context that lies deeper, for each depth.
        came: longest context × vocabulary + token, for each position.
        vocabulary: number of tokens.

    Returns:
        The same for each context in order, and the count of each.
    """
    entries, counts = summed(came, np.ones(len(came), np.int64))
    found = []
    for depth in reversed(range(len(ends))):
        least = (ends[depth - 1] if depth else 0) * vocabulary
        split = int(np.searchsorted(entries, least))
        deeper, fewer = entries[split:], counts[split:]
        found.append((deeper, fewer))
        if depth:
            above = parents[deeper // vocabulary] * vocabulary + deeper % vocabulary
            entries, counts = summed(
                np.concatenate([entries[:split], above]),
                np.concatenate([counts[:split], np.ones(len(above), np.int64)]),
            )
    whole = [np.concatenate(parts) for parts in zip(*reversed(found), strict=True)]
    return whole[0], whole[1]
