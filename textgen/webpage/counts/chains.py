"""An expert of chained contexts as columns: its pieces, the contexts, and what came after each.

The reader builds the contexts from short to long, and their counts from long to short: a count is at least
the number of longer contexts after which the token came, too.
"""

from __future__ import annotations

import numpy as np

from textgen.errors import BundleError
from textgen.experts.chains.chain import LEVEL_BITS, LEVELS
from textgen.experts.chains.expert import Chained
from textgen.experts.tree import Tree
from textgen.experts.words import Words
from textgen.experts.words.contexts import CHARACTERS
from textgen.webpage.columns import Column
from textgen.webpage.counts.subsets import Integers, skipped

_LEVEL = (1 << LEVEL_BITS) - 1
_MOST_SIZES, _MOST_TOGETHER = 31, 15
_WORD = CHARACTERS + 1


def columns(expert: Chained) -> dict[str, Column]:
    """Return the columns of the pieces, of the contexts, and of the tokens with their counts.

    Raises:
        BundleError: shorter contexts do not follow from longer ones.
    """
    counted = expert.counted
    # The first contexts of words add a token each; those of other chains add pieces everywhere.
    characters = CHARACTERS if isinstance(expert, Words) else 0
    found = {
        **_pieces(counted.pieces),
        **_contexts(counted.contexts, counted.pieces, characters),
        **_entries(expert),
    }
    return {f"{expert.name}.{name}": column for name, column in found.items()}


def _pieces(pieces: Tree) -> dict[str, Column]:
    keys = pieces.keys.astype(np.int64)
    above = pieces.parents()
    # Brothers rise: only the difference to the elder one is written.
    eldest = pieces.children[above] == np.arange(len(keys))
    rise = np.where(eldest, keys, keys - np.concatenate([[0], keys[:-1]]) - 1)[1:]
    return {
        "pieces.beneath": Column.of(pieces.beneath, np.minimum(keys, 255), direct=32),
        "pieces.keys": Column.of(rise, (2 * np.minimum(keys[above], 255) + eldest)[1:], direct=128),
    }


def _contexts(contexts: Tree, pieces: Tree, characters: int) -> dict[str, Column]:
    keys = contexts.keys.astype(np.int64)
    levels, added, above = keys & _LEVEL, keys >> LEVEL_BITS, contexts.parents()
    shapes = np.stack([levels, contexts.beneath], axis=1).reshape(-1)[1:]
    known = np.stack([levels[above], (1 << LEVEL_BITS) + levels], axis=1).reshape(-1)[1:]
    goes_on = known < (1 << LEVEL_BITS) + LEVELS  # the longest contexts have no longer ones
    found = {"contexts.shapes": Column.of(shapes[goes_on], known[goes_on], direct=64)}
    values, used = np.zeros(len(keys), np.int64), []
    for level in range(1, _LEVEL + 1):
        rows = np.flatnonzero(levels == level)
        if level <= characters:
            values[rows] = added[rows]
            continue
        distinct = np.unique(added[rows])
        present = np.zeros(pieces.nodes, np.int64)
        present[distinct] = 1
        used.append(present)
        if characters and level == _WORD:
            # By their last characters: so they nearly follow one another.
            distinct = distinct[_by_ends(pieces)[distinct].argsort()]
        ranks = np.zeros(pieces.nodes, np.int64)
        ranks[distinct] = np.arange(len(distinct))
        values[rows] = ranks[added[rows]]
        if characters and level == _WORD:
            step = np.diff(values[rows], prepend=-1) - 1
            values[rows] = np.where(step < 0, -2 * step - 1, 2 * step)
    depth = np.minimum(_depths(pieces), 7)
    for level, present in enumerate(used, start=characters + 1):
        found[f"contexts.used{level}"] = Column.of(present, depth, direct=2)
    parent = np.where(levels <= characters, np.minimum(added[above], 255), 255 + levels)
    found["contexts.added"] = Column.of(values[1:], parent[1:], direct=256)
    return found


def _by_ends(pieces: Tree) -> Integers:
    """Return the place of each piece if they are sorted by their last token, the one before it, and so on."""
    names: list[tuple[int, ...]] = [()]
    for key, parent in zip(pieces.keys.tolist()[1:], pieces.parents().tolist()[1:], strict=True):
        names.append((key, *names[parent]))
    places = np.empty(pieces.nodes, np.int64)
    places[sorted(range(pieces.nodes), key=names.__getitem__)] = np.arange(pieces.nodes)
    return places


def _depths(pieces: Tree) -> Integers:
    depths = [0]
    for parent in pieces.parents().tolist()[1:]:
        depths.append(depths[parent] + 1)
    return np.array(depths, np.int64)


def _entries(expert: Chained) -> dict[str, Column]:
    contexts, counts = expert.counted.contexts, expert.counted.counts
    starts, last = counts.starts.astype(np.int64), counts.last.astype(np.int64)
    follow, above = np.diff(starts), contexts.parents()
    owners = np.repeat(np.arange(len(follow)), follow)
    keys = owners * expert.vocabulary + last
    wanted = above[owners] * expert.vocabulary + last
    inner = owners > 0
    behind = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    sizes = np.where(np.arange(len(follow)) > 0, follow[above], expert.vocabulary)
    deeper = np.bincount(behind[inner], minlength=len(keys))
    own = counts.counts.astype(np.int64) - deeper
    if (keys[behind] != wanted)[inner].any() or (own < 0).any():
        raise BundleError(f"the counts of {expert.name} are not those of a text; no page can hold them")
    places = np.where(inner, behind - starts[above[owners]], last)
    levels = (contexts.keys & np.uint32(_LEVEL)).astype(np.int64)
    together = np.minimum(follow, _MOST_TOGETHER)[owners]
    # A token that came after no longer context was counted here, at least once.
    alone = deeper == 0
    known = (levels[owners] * (_MOST_TOGETHER + 1) + together) * 2 + alone
    known_lengths = levels * (_MOST_SIZES + 1) + np.minimum(sizes, _MOST_SIZES)
    return {
        "lengths": Column.of((follow - 1)[sizes > 1], known_lengths[sizes > 1], direct=64),
        "tokens": Column.of(*skipped(places, starts, sizes), direct=64),
        "counts": Column.of(own - alone, known, direct=32),
    }
