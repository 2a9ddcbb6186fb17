"""What a chain of contexts is: each reaches further back from a position than the one before it.

Which contexts there are is the expert's own business (`textgen.experts.words.contexts`,
`textgen.experts.long`). A context is a node of a tree: its parent is the next shorter one, and the key says
what it adds to that: the number of a *piece*, which is a run of tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from textgen.experts.tree import Tree

BEFORE = 48
"""Tokens that a prediction looks at: contexts end there, so that a sampler keeps a state of constant size."""

FURTHEST = BEFORE - 2
"""Length of the longest context. Whether a piece begins at a token depends on the two tokens before it."""

LEVELS = 7
LEVEL_BITS = 3

Places = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Chains:
    """The chain of contexts of each position, without the levels that are left out.

    Attributes:
        keys: what each context adds to the one before it: the number of a piece (or of a token), shifted by
            `LEVEL_BITS`, plus the level; -1 after the chain's end. Shape (LEVELS, positions).
        lengths: how many tokens each context holds, same shape.
    """

    keys: Places
    lengths: Places


class Divided(Protocol):
    """Texts divided into pieces."""

    @property
    def tree(self) -> Tree:
        """The pieces by their tokens."""
        ...

    def chains(self, places: Places) -> Chains:
        """Return the chain of contexts of the tokens after some places; `BEFORE` tokens come before each."""
        ...
