"""An expert of long contexts, for texts that repeat themselves: program code, licences, minutes, song texts.

Its contexts are the last characters, up to 16. Where 16 characters came before, so did what follows, and a
6-gram does not know it. On a megabyte of licences the mixture with it has a fifth less loss. Long prose gains
little, so it is not counted there (`repeated`).
"""

from __future__ import annotations

import numpy as np

from textgen.experts.chains.arrays import from_arrays
from textgen.experts.chains.chain import LEVEL_BITS, LEVELS, Chains, Places
from textgen.experts.chains.counting import count_chains
from textgen.experts.chains.expert import Chained
from textgen.experts.chains.joining import joined
from textgen.experts.counting import spread
from textgen.experts.expert import Arrays
from textgen.experts.ngram_order import Keys, Numbers
from textgen.experts.tree import Tree, numbered

REACH = (1, 2, 4, 6, 8, 12, 16)
"""Length of each level's contexts. None adds more than `LONGEST_PIECE` tokens, so that pieces are few."""

LONGEST_PIECE = 4
FIRST_RARE = 5
"""Contexts of 8 tokens and more are kept only if they came twice."""

_REPEATED = 16
_LOOKED_AT = 1_000_000
_MIXED = np.uint64(0x9E3779B97F4A7C15)


class Long(Chained):
    """The counted model. Create one with `count`."""

    name = "long"

    @classmethod
    def count(cls, tokens: Numbers, vocabulary: int) -> Long:
        """Return the model of a text; see `textgen.experts.chains.counting.count_chains`."""
        return cls(vocabulary, count_chains(tokens, vocabulary, Spans, FIRST_RARE))

    def of(self, tokens: Numbers) -> Long:
        """Return the model of another text; see `textgen.experts.expert.Expert.of`."""
        return Long.count(tokens, self.vocabulary)

    def divided(self, windows: Numbers) -> Spans:
        """Return texts divided into pieces; see `Chained.divided`."""
        return Spans(windows, self.counted.pieces)

    def joined(self, other: Long) -> Long:
        """Return the model of both texts together; see `textgen.experts.chains.joining.joined`."""
        vocabulary = max(self.vocabulary, other.vocabulary)
        return Long(vocabulary, joined(self.counted, other.counted, vocabulary, 0))

    @classmethod
    def from_arrays(cls, vocabulary: int, arrays: Arrays) -> Long:
        """Return the model that `to_arrays` described.

        Raises:
            BundleError: the arrays do not fit each other.
        """
        return cls(vocabulary, from_arrays(cls.name, vocabulary, arrays, 0))


class Spans:
    """Texts whose pieces are all runs of up to `LONGEST_PIECE` tokens.

    Attributes:
        tree: the pieces by their tokens, from the newest to the oldest.
        nodes: for each length from 0 on, the node of the piece that ends at each token; -1 if it is not
            there. Shape (texts × tokens,): one text after the other.
    """

    def __init__(self, texts: Numbers, tree: Tree | None = None) -> None:
        """Find the pieces.

        Args:
            texts: tokens, shape (texts, tokens).
            tree: known pieces; None to collect those of the texts.
        """
        tokens = np.ascontiguousarray(texts, np.int32).reshape(-1)
        self.nodes = [np.zeros(len(tokens), np.int32)]
        grown: list[Keys] = []
        first = 1
        for length in range(LONGEST_PIECE):
            parents = self.nodes[-1].astype(np.int64)
            # A piece that ends in the first tokens of a text begins in another one; no context reaches there.
            added = np.concatenate([np.zeros(length, np.int32), tokens[: len(tokens) - length]])
            if tree is None:
                edges, found = numbered(parents, added)
                node = first + found
                first += len(edges)
                grown.append(edges)
            else:
                found, known = tree.find(np.maximum(parents, 0), added)
                node = np.where(known & (parents >= 0), found, -1)
            self.nodes.append(node.astype(np.int32))
        self.tree = Tree.of(grown) if tree is None else tree

    def chains(self, places: Places) -> Chains:
        """Return the chain of contexts of the tokens after some places."""
        keys = np.full((LEVELS, len(places)), -1, np.int32)
        lengths = np.repeat(np.array(REACH, np.int32)[:, None], len(places), axis=1)
        goes_on, before = np.ones(len(places), bool), 0
        for level, reach in enumerate(REACH, start=1):
            node = self.nodes[reach - before][places - before]
            goes_on &= node >= 0
            keys[level - 1] = np.where(goes_on, (node << LEVEL_BITS) | level, -1)
            before = reach
        return Chains(keys, lengths)


def repeated(tokens: Numbers) -> float:
    """Return the share of a text's runs of 16 tokens that come more than once, less once each; 0 to 1.

    It is 0.03 for plays and for technical prose, 0.4 for program code and 0.8 for licences.
    """
    runs = spread(tokens, _LOOKED_AT).astype(np.uint64) * _MIXED
    size = 1
    while size < _REPEATED and len(runs) > size:
        # Numbers of runs of twice the size; that two runs have the same number by chance does no harm.
        runs = (runs[:-size] ^ (runs[:-size] >> np.uint64(29))) * _MIXED + runs[size:]
        size *= 2
    runs.sort()
    return float((runs[1:] == runs[:-1]).mean()) if len(runs) > 1 else 0.0
