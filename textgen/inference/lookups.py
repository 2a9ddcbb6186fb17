"""The experts' part in a step: what they expect of the next token, looked up for few texts or for many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from textgen.experts.expert import Expected, Expert
from textgen.experts.kneser_ney import KneserNey
from textgen.experts.long import Long
from textgen.experts.words import Words
from textgen.inference.long_lookup import LongLookup
from textgen.inference.ngram_lookup import NgramLookup
from textgen.inference.numerics import Float64
from textgen.inference.word_lookup import WordLookup


class Lookup(Protocol):
    """What `Expert.expect` returns, for serving: one token a step for each text."""

    before: int

    def expect(self, windows: npt.NDArray[np.floating]) -> Expected:
        """Return what is expected after each token but the first ``before - 1`` of each text.

        Args:
            windows: shape (texts, before - 1 + time).
        """
        ...


Counts = Sequence[Lookup]


def lookup_of(expert: Expert) -> Lookup:
    """Return the fastest look-up of an expert in NumPy."""
    if isinstance(expert, Words):
        return WordLookup(expert)
    if isinstance(expert, KneserNey):
        return NgramLookup(expert)
    if isinstance(expert, Long):
        return LongLookup(expert)
    raise TypeError(f"there is no look-up for {expert!r}")


@dataclass(frozen=True, slots=True)
class Expectation:
    """What all experts expect at some positions.

    Attributes:
        probabilities: shape (experts, positions, vocabulary).
        confidences: shape (positions, confidences); none if they are not needed.
    """

    probabilities: Float64
    confidences: Float64

    @classmethod
    def of(cls, counts: Counts, windows: npt.NDArray[np.floating], *, with_confidences: bool) -> Expectation:
        """Return what experts expect after each token but the first ones of each text.

        Args:
            counts: the experts.
            windows: as many tokens before the first position as the one needs that looks back furthest.
            with_confidences: whether they are needed.
        """
        furthest = max(each.before for each in counts)
        found = [each.expect(windows[:, furthest - each.before :]) for each in counts]
        positions = found[0].probabilities.shape[0] * found[0].probabilities.shape[1]
        confidences = [each.confidences.reshape(positions, -1) for each in found if with_confidences]
        return cls(
            np.stack([each.probabilities.reshape(positions, -1) for each in found]).astype(np.float64),
            np.concatenate([np.empty((positions, 0), np.float32), *confidences], axis=1).astype(np.float64),
        )
