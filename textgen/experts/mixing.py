"""Mixing counted models without a network: constant weights of their log probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from textgen.experts.expert import Expert
from textgen.experts.ngram_order import Floats, Integers, Numbers

Losses = npt.NDArray[np.float64]

_STRETCH = 64
_STEPS = 4
_LARGEST_WEIGHT = 2.0
_RIDGE = 1e-4
_AT_ONCE = 1_000_000

UNKNOWN = 0
"""The token of unknown symbols, as in `textgen.tokenizers`."""


def stretches(tokens: Numbers, before: int, positions: int) -> Numbers:
    """Return windows that are spread evenly over a text, and hold about so many positions to predict.

    Args:
        tokens: the text, shape (tokens,).
        before: tokens that are needed before the first position.
        positions: how many to predict.

    Returns:
        Shape (windows, before + time + 1), at least one window, if the text has two tokens.
    """
    time = min(_STRETCH, len(tokens) - 1)
    last = len(tokens) - time - 1
    many = max(1, min(positions, last + 1) // time)
    places = np.linspace(0, last, many).astype(np.int64)[:, None] + np.arange(-before, time + 1)
    # Before the text stand unknown tokens, as before a sample. The text may be a file that is mapped.
    return np.where(places < 0, UNKNOWN, tokens[np.maximum(places, 0)]).astype(np.int32)


def weights_for(experts: Sequence[Expert], windows: Numbers, before: int) -> Floats:
    """Return the weight of each expert with which they predict the counted text best, without themselves.

    Args:
        experts: the experts.
        windows: of the counted text, as `stretches` returns them.
        before: tokens before the first position.
    """
    logs = np.log(
        np.stack(
            [
                expert.leave_one_out(windows[:, before - expert.before :]).probabilities.reshape(
                    -1, expert.vocabulary
                )
                for expert in experts
            ]
        )
    )
    targets = windows[:, before + 1 :].reshape(-1).astype(np.int64)
    weights = np.full(len(experts), 1 / len(experts))
    if len(experts) == 1:
        return weights.astype(np.float32)
    rows = np.arange(len(targets))
    for _ in range(_STEPS):
        # Newton's method; the loss is convex in the weights.
        shares = np.exp(_mixed(logs, weights))
        means = np.einsum("epv,pv->ep", logs, shares)
        slope = (logs[:, rows, targets] - means).mean(axis=1)
        spread = np.einsum("epv,fpv,pv->ef", logs, logs, shares, optimize=True) / len(rows)
        spread -= means @ means.T / len(rows)
        step = np.linalg.solve(spread + _RIDGE * np.eye(len(experts)), slope)
        weights = np.clip(weights + step, 0, _LARGEST_WEIGHT)
    return weights.astype(np.float32)


def losses_of(
    experts: Sequence[Expert], weights: Floats, windows: Numbers, before: int
) -> tuple[float, list[float]]:
    """Return the nats per token of experts with constant weights, and of each expert alone.

    Args:
        experts: the experts.
        weights: of each expert.
        windows: of a text that was not counted, as `stretches` returns them.
        before: tokens before the first position.
    """
    targets: Integers = windows[:, before + 1 :].astype(np.int64)
    at_once = max(1, _AT_ONCE // (experts[0].vocabulary * targets.shape[1]))
    nats, alone = 0.0, np.zeros(len(experts))
    for first in range(0, len(windows), at_once):
        some = windows[first : first + at_once]
        logs = np.log(
            np.stack([each.expect(some[:, 1 + before - each.before : -1]).probabilities for each in experts])
        )
        wanted = targets[first : first + at_once].reshape(-1)
        logs = logs.reshape(len(experts), len(wanted), -1)
        rows = np.arange(len(wanted))
        alone -= logs[:, rows, wanted].sum(axis=1, dtype=np.float64)
        nats -= float(_mixed(logs, weights)[rows, wanted].sum())
    return nats / targets.size, (alone / targets.size).tolist()


def _mixed(logs: Floats, weights: npt.NDArray[np.floating]) -> Losses:
    """Return the log probabilities of a mixture, shape (positions, vocabulary)."""
    mixed: Losses = np.tensordot(weights.astype(np.float64), logs.astype(np.float64), axes=1)
    mixed -= mixed.max(axis=1, keepdims=True)
    mixed -= np.log(np.exp(mixed).sum(axis=1, keepdims=True))
    return mixed
