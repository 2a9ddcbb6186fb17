"""Looking up long contexts in NumPy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from textgen.experts.chains.chain import BEFORE
from textgen.experts.expert import Expected, unconfident
from textgen.experts.long import REACH
from textgen.experts.ngram_order import Floats
from textgen.inference.chain_lookup import ChainLookup

_FEW = 6
"""Up to this number of positions, one lookup each is faster than one for all."""


class LongLookup(ChainLookup):
    """Returns what the expert of long contexts expects, for a few positions or for many."""

    def expect(self, windows: npt.NDArray[np.floating]) -> Expected:
        """Return what is expected; see `textgen.inference.lookups.Lookup.expect`."""
        if windows.shape[1] != BEFORE or len(windows) > _FEW:
            return self._expert.expect(windows.astype(np.int64))
        rows = [self._one(tokens) for tokens in windows.astype(np.int64).tolist()]
        return Expected(*(np.stack(part)[:, None] for part in zip(*rows, strict=True)))

    def _one(self, tokens: list[int]) -> tuple[Floats, Floats]:
        """Return the probabilities and confidences after `BEFORE` tokens."""
        found, confidences = self._alone.copy(), unconfident(1, self._expert.confidences)[0]
        context = before = 0
        for level, reach in enumerate(REACH, start=1):
            # From the newest token to the oldest.
            node = self._node(tuple(tokens[BEFORE - reach : BEFORE - before][::-1]))
            context = self._deeper(found, confidences, context, node, level)
            if context < 0:
                break
            before = reach
        return found, confidences
