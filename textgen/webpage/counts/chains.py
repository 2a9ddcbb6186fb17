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
from textgen.webpage.counts.subsets import skipped

_LEVEL = (1 << LEVEL_BITS) - 1


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
    return {"pieces.beneath": pieces.beneath, "pieces.keys": rise}


def _contexts(contexts: Tree, pieces: Tree, characters: int) -> dict[str, Column]:
    keys = contexts.keys.astype(np.int64)
    levels, added = keys & _LEVEL, keys >> LEVEL_BITS
    found: dict[str, Column] = {
        "contexts.levels": levels,
        "contexts.beneath": contexts.beneath[levels < LEVELS],  # the longest contexts have no longer ones
    }
    for level in range(1, LEVELS + 1):
        values = added[levels == level]
        if level > characters:
            distinct, values = np.unique(values, return_inverse=True)
            used = np.zeros(pieces.nodes, np.uint8)
            used[distinct] = 1
            found[f"contexts.used{level}"] = used
        found[f"contexts.added{level}"] = values
    return found


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
    return {
        "lengths": (follow - 1)[sizes > 1],
        "tokens": skipped(places, starts, sizes),
        "counts": own,
    }
