"""The windows of the validation text on which a fine-tuned base is measured, and the fit of its mixture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from textgen.experts.kneser_ney import KneserNey
from textgen.experts.single_tokens import expect
from textgen.pretrained.tuned import mixture
from textgen.tokenizers import UNKNOWN, Tokens

WINDOW = 512
"""Tokens of a window: twice as many as in training, because samples have long contexts too."""

LOOKED_AT = 2 * WINDOW
"""Tokens that a validation reads."""

FINAL = 16 * WINDOW
"""Tokens that the last validation reads."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Windows that are spread evenly over the validation text.

    Attributes:
        inputs: the tokens that the network reads, shape (windows, time).
        targets: the token after each, same shape.
        contexts: the tokens before each target that the n-grams look at, and the target; shape (windows,
            time, before + 1).
    """

    inputs: npt.NDArray[np.int32]
    targets: npt.NDArray[np.int32]
    contexts: npt.NDArray[np.int64]


def windows_of(tokens: Tokens, limit: int, before: int, start: int | None) -> HeldOut:
    """Return windows of a text.

    Args:
        tokens: the text, at least two tokens.
        limit: most tokens to read, if that is at least one window.
        before: tokens before a target that the n-grams look at.
        start: the token that begins every text of the base; None if it has none.
    """
    length = min(WINDOW, len(tokens) - 1)
    rows = max(1, min(limit, len(tokens) - 1) // length)
    starts = np.linspace(0, len(tokens) - 1 - length, rows).astype(np.int64)
    padded = np.concatenate([np.full(before, UNKNOWN, np.int64), np.asarray(tokens).astype(np.int64)])
    texts = padded[before:][starts[:, None] + np.arange(length + 1)].astype(np.int32)
    inputs = texts[:, :-1] if start is None else begun(texts[:, :-1], start)
    contexts = padded[starts[:, None, None] + 1 + np.arange(length)[:, None] + np.arange(before + 1)]
    return HeldOut(inputs, texts[:, 1:], contexts)


def begun(texts: npt.NDArray[np.int32], start: int) -> npt.NDArray[np.int32]:
    """Return texts whose first token is replaced by the one that begins every text."""
    result = texts.copy()
    result[:, 0] = start
    return result


def fit(
    losses: npt.NDArray[np.floating], held_out: HeldOut, counted: KneserNey
) -> tuple[npt.NDArray[np.float32], float]:
    """Fit a mixture.

    Args:
        losses: the network's nats at each position, shape (windows, time).
        held_out: the windows.
        counted: the n-grams.

    Returns:
        The weights of the mixture (`textgen.pretrained.tuned.mixture`), shape (kinds,), and its nats per
        token, each half measured with weights of the other half.
    """
    network = np.exp(-losses.reshape(-1).astype(np.float64))
    expected = expect(counted, held_out.contexts.reshape(-1, held_out.contexts.shape[-1]))
    kind = mixture.kind_of(expected)
    weights = mixture.fitted(network, expected.probabilities, kind, counted.order)
    return weights, mixture.cross_fitted_loss(network, expected.probabilities, kind, counted.order)
