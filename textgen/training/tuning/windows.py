"""The windows of a fine-tuning: each begins anew, so their order is free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from textgen.errors import TrainingError
from textgen.tokenizers import Tokens

_FEWEST = 16
_EPOCH = 0x77696E
"""Keeps the generator of the order apart from those of the steps."""


@dataclass(frozen=True, slots=True)
class ShuffledWindows:
    """Windows of a text side by side, in another order and from another offset in each pass over the text.

    Attributes:
        tokens: the text, shape (tokens,).
        batch: windows of a batch.
        length: tokens of a window.
        random_seed: decides offsets and orders.
    """

    tokens: Tokens
    batch: int
    length: int
    random_seed: int

    @property
    def batches(self) -> int:
        """Number of batches in a pass over the text."""
        # One window less than the text has: the offset takes up to a window.
        return max(1, ((len(self.tokens) - 1) // self.length - 1) // self.batch)

    def windows(self, index: int, before: int = 0) -> npt.NDArray[np.int32]:
        """Return a batch's windows, each with the token after it; see `textgen.training.plan.Windows`."""
        epoch, number = divmod(index, self.batches)
        random = np.random.default_rng((self.random_seed, _EPOCH, epoch))
        room = len(self.tokens) - 1 - self.batches * self.batch * self.length
        offset = int(random.integers(0, min(room, self.length) + 1))
        order = random.permutation(self.batches * self.batch)
        chosen = order[number * self.batch : (number + 1) * self.batch]
        starts = offset + chosen * self.length
        positions = starts[:, None] + np.arange(-before, self.length + 1)
        found: npt.NDArray[np.int32] = np.asarray(self.tokens)[np.maximum(positions, 0)].astype(np.int32)
        return found


def fit_to_corpus(tokens: int, batch: int, length: int) -> tuple[int, int]:
    """Reduce batch and window until the text has room for a pass of at least one batch.

    Args:
        tokens: length of the training text.
        batch: wanted number of windows in a batch.
        length: wanted tokens of a window.

    Returns:
        The batch and the length to use.

    Raises:
        TrainingError: the text is too short.
    """
    if tokens <= _FEWEST:
        raise TrainingError(f"the training text has {tokens:,} tokens; more than {_FEWEST} are needed")
    length = min(length, max(_FEWEST, (tokens - 1) // 4))
    while batch > 1 and batch * length > tokens - 1:
        batch //= 2
    return batch, min(length, tokens - 1)
