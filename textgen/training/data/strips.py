"""Contiguous batches for truncated back-propagation: the recurrent state is carried from batch to batch.

The windows of the corpus, in order, are divided into ``batch`` strips. Batch number k holds the k-th window
of every strip. With a step shorter than the window, an epoch reads the corpus once for each offset, as
keras-text-generation does (``shape_for_stateful_rnn``).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from textgen.errors import TrainingError
from textgen.tokenizers import UNKNOWN, Tokens

_TOGETHER = 32
_TOGETHER_TOKENS = 1 << 15


@dataclass(frozen=True, slots=True)
class Strips:
    """The batches of an epoch over a token array.

    Attributes:
        tokens: the whole text, shape (tokens,).
        batch: number of strips.
        length: tokens of a window.
        step: tokens between two offsets; with ``length`` an epoch reads the text once.
    """

    tokens: Tokens
    batch: int
    length: int
    step: int
    _ahead: dict[tuple[int, int], npt.NDArray[np.int32]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def batches(self) -> int:
        """Number of batches in an epoch."""
        return int(self._counts().sum()) // self.batch

    def windows(self, index: int, before: int = 0) -> npt.NDArray[np.int32]:
        """Return a batch's windows, each with the token that follows it.

        Args:
            index: number of the batch, counted on after the end of the text.
            before: number of preceding tokens to add; before the text they are `UNKNOWN`.

        Returns:
            Shape (batch, before + length + 1).
        """
        # Batches are used in order, and the next window of a strip follows this one in memory. Fetching
        # several together makes a large corpus as fast as one that fits into the CPU's cache.
        index %= self.batches
        together = max(1, min(_TOGETHER, _TOGETHER_TOKENS // (self.batch * self.length)))
        key = (index // together, before)
        if key not in self._ahead:
            self._ahead.clear()
            self._ahead[key] = self._fetch(key[0] * together, together, before)
        return self._ahead[key][:, index % together].copy()

    def _fetch(self, first: int, count: int, before: int) -> npt.NDArray[np.int32]:
        """Return consecutive batches, shape (batch, count, before + length + 1)."""
        counts = self._counts()
        batches = int(counts.sum()) // self.batch
        ahead = np.arange(first, min(first + count, batches))
        chosen = np.arange(self.batch)[:, None] * batches + ahead
        # The pass over the text that a window belongs to, and its number in that pass.
        ends = np.cumsum(counts)
        passes = np.searchsorted(ends, chosen, side="right")
        starts = passes * self.step + (chosen - (ends - counts)[passes]) * self.length
        positions = starts[..., None] + np.arange(-before, self.length + 1)
        # Indexing a memory map is slower than indexing a plain array.
        tokens = np.asarray(self.tokens)
        return np.where(positions < 0, UNKNOWN, tokens[np.maximum(positions, 0)]).astype(np.int32)

    def _counts(self) -> npt.NDArray[np.int64]:
        """Return the number of windows of each pass over the text, shape (passes,)."""
        offsets = np.arange(0, self.length, self.step)
        return np.maximum(0, (len(self.tokens) - 1 - offsets) // self.length)


def fit_to_corpus(tokens: int, batch: int, length: int) -> tuple[int, int]:
    """Reduce batch and window until an epoch has at least four batches.

    Args:
        tokens: length of the training text.
        batch: wanted number of strips.
        length: wanted tokens of a window.

    Returns:
        The batch and the length to use.

    Raises:
        TrainingError: the text is too short.
    """
    wanted = 4
    while batch > 1 and (tokens - 1) // length // batch < wanted:
        batch //= 2
    while length > 1 and (tokens - 1) // length < wanted:
        length //= 2
    if (tokens - 1) // length // batch < wanted:
        raise TrainingError(f"the training text has {tokens:,} tokens; at least 5 are needed")
    return batch, length
