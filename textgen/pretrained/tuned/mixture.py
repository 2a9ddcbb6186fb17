"""The mixture of a network's probabilities with those of counted n-grams.

At each position p = w · network + (1 - w) · counts. The weight w depends on how much the counts know there:
on the length of the longest context that was counted, and on the share that it leaves to shorter ones. The
weights are found on text that neither was trained on, by expectation maximisation (Jelinek and Mercer 1980).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from textgen.experts.ngram_order import Floats, Integers
from textgen.experts.single_tokens import Expectations

SHARES = (0.3, 0.7)
"""Bounds between contexts that leave little to shorter ones, some, and most."""

_CLASSES = len(SHARES) + 1
_ROUNDS = 50
_AS_IF_SEEN = 20.0
"""Each weight is drawn towards the one for all positions, as by so many positions."""


def kinds(order: int) -> int:
    """Return the number of weights for n-grams of up to ``order`` tokens."""
    return order * _CLASSES


def kind_of(expected: Expectations) -> Integers:
    """Return the index of the weight at each position, shape (positions,)."""
    return expected.known * _CLASSES + np.searchsorted(np.array(SHARES, np.float32), expected.shares)


def fitted(
    network: npt.NDArray[np.floating], counts: npt.NDArray[np.floating], kind: Integers, order: int
) -> Floats:
    """Return the network's weight for each kind of position, shape (kinds,).

    Args:
        network: the network's probabilities of the tokens that came, shape (positions,).
        counts: the counts' probabilities of the same, shape (positions,).
        kind: of each position (`kind_of`), shape (positions,).
        order: length of the longest n-grams.
    """
    network, counts = network.astype(np.float64), counts.astype(np.float64)
    weights, overall = np.full(kinds(order), 0.5), 0.5
    seen = np.bincount(kind, minlength=len(weights))
    for _ in range(_ROUNDS):
        mine = weights[kind] * network
        mine /= mine + (1 - weights[kind]) * counts
        overall = float(mine.mean()) if len(mine) else overall
        summed = np.bincount(kind, mine, minlength=len(weights))
        weights = (summed + _AS_IF_SEEN * overall) / (seen + _AS_IF_SEEN)
    # Neither is ever ignored: a token that one of them thinks impossible may come.
    result: Floats = np.clip(weights, 0.01, 0.99).astype(np.float32)
    return result


def mixed(
    network: npt.NDArray[np.floating], counts: npt.NDArray[np.floating], kind: Integers, weights: Floats
) -> npt.NDArray[np.float64]:
    """Return natural-log probabilities of the mixture; see `fitted` for the arguments."""
    share = weights.astype(np.float64)[kind]
    result: npt.NDArray[np.float64] = np.log(share * network + (1 - share) * counts)
    return result


def mix(logits: npt.NDArray[np.float64], counts: npt.NDArray[np.float32], share: float) -> None:
    """Turn a network's logits after one position into natural-log probabilities of the mixture, in place.

    One position at a time, so that a large vocabulary's numbers stay in the processor's cache.

    Args:
        logits: shape (vocabulary,). Tokens that the network never writes (-inf), such as special ones, are
            not written for their counts either.
        counts: the counts' probabilities, same shape.
        share: the network's weight.
    """
    logits -= np.maximum.reduce(logits)
    network = np.exp(logits, out=logits)
    never = network == 0
    network *= share / np.add.reduce(network)
    network += np.multiply(counts, 1 - share, dtype=np.float64)
    np.log(network, out=logits)
    np.copyto(logits, -np.inf, where=never)


def cross_fitted_loss(
    network: npt.NDArray[np.floating], counts: npt.NDArray[np.floating], kind: Integers, order: int
) -> float:
    """Return the mixture's mean loss in nats; see `fitted` for the arguments.

    Each half of the positions is measured with weights that were found on the other half, so the loss is that
    of text which the weights have not seen.
    """
    half = np.arange(len(kind)) < len(kind) // 2
    total = 0.0
    for part in (half, ~half):
        weights = fitted(network[~part], counts[~part], kind[~part], order)
        total -= float(mixed(network[part], counts[part], kind[part], weights).sum())
    return total / len(kind)
