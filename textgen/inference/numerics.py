"""Arithmetic of the NumPy network, and why a sample is the same wherever it is drawn.

The order in which a matrix product adds up differs with the batch size, the number of threads and
the processor. In 32 bits that moves logits by 1e-6, which now and then flips a sampled token and
from there on the whole text. So products run in 64 bits, where the order matters at 1e-16, and
whatever is carried to the next step is rounded to 32 bits, which erases even that.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]

EPSILON = 1e-6
"""Added to a mean square before its root is divided by."""


def sigmoid(x: Float64) -> Float64:
    """Return 1 / (1 + exp(-x)) without overflow."""
    return np.tanh(x * 0.5) * 0.5 + 0.5


def log_softmax(logits: Float64) -> Float64:
    """Return natural-log probabilities over the last axis."""
    shifted: Float64 = logits - logits.max(axis=-1, keepdims=True)
    result: Float64 = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result
