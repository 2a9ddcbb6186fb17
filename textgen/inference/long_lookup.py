"""Looking up long contexts in NumPy."""

from __future__ import annotations

from textgen.experts.chains.chain import BEFORE
from textgen.experts.expert import unconfident
from textgen.experts.long import REACH
from textgen.experts.ngram_order import Floats
from textgen.inference.chain_lookup import ChainLookup


class LongLookup(ChainLookup):
    """Returns what the expert of long contexts expects, for a few positions or for many."""

    few = 6

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
