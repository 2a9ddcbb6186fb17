"""Arithmetic of the NumPy network, and why a sample is the same on every machine.

The order in which a matrix product adds its terms differs with the batch size, the number of threads and
the processor. In 32 bits this changes logits by 1e-6, which now and then changes a sampled token and
from there on the whole text. So products run in 64 bits, where the order changes results by 1e-16, and
the state that is carried to the next step is rounded to 32 bits, which removes even that difference.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]

EPSILON = 1e-6
"""Added to the mean square in RMSNorm, so that its root is never 0."""

_PIECE = 8192


def sigmoid(x: Float64) -> Float64:
    """Return 1 / (1 + exp(-x)) without overflow."""
    return np.tanh(x * 0.5) * 0.5 + 0.5


def log_softmax(logits: Float64) -> Float64:
    """Return natural-log probabilities over the last axis."""
    shifted: Float64 = logits - logits.max(axis=-1, keepdims=True)
    result: Float64 = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def log_sum(logits: Float64, highest: float = 0.0, temperature: float = 1.0) -> float:
    """Return the logarithm of the sum of exp((logits - highest) / temperature).

    Args:
        logits: shape (tokens,).
        highest: the highest of them, or one near it; otherwise the exponentials leave their range.
        temperature: above 0.
    """
    total = 0.0
    # In pieces: a copy of a large vocabulary's logits would be fetched from the system again and again.
    for start in range(0, len(logits), _PIECE):
        piece = logits[start : start + _PIECE] - highest
        if temperature != 1:
            piece /= temperature
        total += np.exp(piece, out=piece).sum()
    return float(np.log(total))
