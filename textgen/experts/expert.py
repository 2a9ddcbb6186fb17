"""What an expert is: a counted model of the next token, which the cell ``linear`` mixes with others.

Beside the probabilities, an expert says how far its counts can be trusted: its *confidences*. For each
length of context they are how often the context came, and the share of the probability that it leaves to
shorter contexts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from textgen.experts.ngram_order import Floats, Integers, Numbers

Arrays = dict[str, npt.NDArray[Any]]
"""Counts as small plain arrays under their names, as a bundle holds them."""

_LARGEST_LOGGED = 1 << 16
_SCALE = 8

LOGS: npt.NDArray[np.float32] = (np.log1p(np.arange(_LARGEST_LOGGED)) / _SCALE).astype(np.float32)
"""The confidence of a context by its total: log(1 + total) / 8, from a table, so that it is the same in
NumPy and in C to the last bit. The table ends at a total of 65,535."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What an expert expects.

    Attributes:
        probabilities: of all tokens at each position, shape (texts, time, vocabulary); none is 0.
        confidences: shape (texts, time, confidences): for each level two numbers, `LOGS` of the total and
            the share that is left to shorter contexts; 0 and 1 where the context is unknown.
    """

    probabilities: Floats
    confidences: Floats


class Expert(Protocol):
    """A counted model. Each is in a file of its own, and in the registry `textgen.experts.registry`."""

    @property
    def name(self) -> str:
        """As in a bundle's ``spec.json``."""
        ...

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        ...

    @property
    def before(self) -> int:
        """How many tokens before a position its prediction looks at."""
        ...

    @property
    def confidences(self) -> int:
        """How many numbers say how far the prediction of a position can be trusted."""
        ...

    @property
    def entries(self) -> int:
        """Number of counts."""
        ...

    @property
    def memory(self) -> int:
        """Bytes of memory."""
        ...

    def expect(self, windows: Numbers) -> Expected:
        """Return what is expected after each token but the first ``before - 1``.

        Args:
            windows: shape (texts, before - 1 + time).
        """
        ...

    def leave_one_out(self, windows: Numbers, seen: npt.NDArray[np.integer[Any]] | None = None) -> Expected:
        """Return what is expected at each position but the first ``before``, as if it had not been counted.

        Args:
            windows: shape (texts, before + time + 1): ``time`` contexts with the token after each.
            seen: how many tokens of each context are known, shape (texts, time); None for all.
        """
        ...

    def of(self, tokens: Numbers) -> Expert:
        """Return an expert of the same kind that was counted on another text, shape (tokens,)."""
        ...

    def joined(self, other: Any) -> Expert:
        """Return the expert of both texts together, in the larger of the two vocabularies."""
        ...

    def to_arrays(self) -> Arrays:
        """Return the counts as small plain arrays for a bundle."""
        ...


def confide(
    confidences: Floats, rows: Integers, levels: Numbers | int, totals: Floats, shares: Floats
) -> None:
    """Note how far some positions' contexts can be trusted, in place.

    Args:
        confidences: shape (positions, confidences).
        rows: the positions.
        levels: number of each one's level, from 0.
        totals: sum of each context's counts.
        shares: the share that each one leaves to shorter contexts.
    """
    confidences[rows, 2 * levels] = logged(totals)
    confidences[rows, 2 * levels + 1] = shares


def logged(totals: Any) -> Any:
    """Return the confidence of contexts by the sums of their counts, a number or an array."""
    return LOGS[np.minimum(totals, len(LOGS) - 1).astype(np.intp)]


def unconfident(positions: int, confidences: int) -> Floats:
    """Return the confidences where nothing is known, shape (positions, confidences)."""
    found = np.zeros((positions, confidences), np.float32)
    found[:, 1::2] = 1
    return found
