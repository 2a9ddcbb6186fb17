"""An expert whose contexts are words: this one so far, what separates it, and the two before it.

`textgen.experts.words.contexts` describes the contexts. A 6-gram of characters forgets the word before; this
expert knows it. Alone it predicts 0.04 nats a character better on a megabyte of Shakespeare, and the two know
different things.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from textgen.errors import BundleError
from textgen.experts.chains.arrays import from_arrays
from textgen.experts.chains.counting import ChainCounts, count_chains
from textgen.experts.chains.expert import Chained
from textgen.experts.chains.joining import joined
from textgen.experts.expert import Arrays
from textgen.experts.ngram_order import Numbers
from textgen.experts.words.contexts import CHARACTERS, WHOLE, Pieces

FIRST_RARE = 6
"""Contexts that reach beyond the separators are kept only if they came twice: most of two words came once."""

_KINDS = "words.kinds"


class Words(Chained):
    """The counted model. Create one with `count`.

    Attributes:
        kinds: the kind of each token (`textgen.experts.words.contexts.kinds_of`).
    """

    name = "words"

    def __init__(self, vocabulary: int, kinds: npt.NDArray[np.uint8], counted: ChainCounts) -> None:
        """Keep the counts."""
        super().__init__(vocabulary, counted)
        self.kinds = kinds

    @classmethod
    def count(cls, tokens: Numbers, vocabulary: int, kinds: npt.NDArray[np.uint8]) -> Words:
        """Return the model of a text; see `textgen.experts.chains.counting.count_chains`."""
        counted = count_chains(tokens, vocabulary, lambda texts: Pieces(texts, kinds), FIRST_RARE)
        return cls(vocabulary, kinds, counted)

    def of(self, tokens: Numbers) -> Words:
        """Return the model of another text; see `textgen.experts.expert.Expert.of`."""
        return Words.count(tokens, self.vocabulary, self.kinds)

    def divided(self, windows: Numbers) -> Pieces:
        """Return texts divided into words; see `Chained.divided`."""
        return Pieces(windows, self.kinds, self.counted.pieces)

    def joined(self, other: Words) -> Words:
        """Return the model of both texts together; see `textgen.experts.chains.joining.joined`."""
        vocabulary = max(self.vocabulary, other.vocabulary)
        kinds = max(self.kinds, other.kinds, key=len)
        return Words(vocabulary, kinds, joined(self.counted, other.counted, vocabulary, CHARACTERS))

    def to_arrays(self) -> Arrays:
        """Return the model as small plain arrays, which `from_arrays` reads."""
        return {_KINDS: self.kinds, **super().to_arrays()}

    @classmethod
    def from_arrays(cls, vocabulary: int, arrays: Arrays) -> Words:
        """Return the model that `to_arrays` described.

        Raises:
            BundleError: the arrays do not fit each other.
        """
        others = dict(arrays)
        kinds = others.pop(_KINDS, None)
        if kinds is None or kinds.dtype != np.uint8 or kinds.shape != (vocabulary,) or kinds.max() > WHOLE:
            raise BundleError(f"the kinds of characters are not those of {vocabulary:,} tokens")
        return cls(vocabulary, kinds, from_arrays(cls.name, vocabulary, others, CHARACTERS))
