"""Fits how far a trained network trusts its counted models, on text that was not counted.

In training each position is predicted from the counts without itself, but the rest of its scene is still
counted: its names, its subject, its turns of phrase. Text that is new has no such neighbours, so the network
trusts the counts too much there, and itself. Its last layer is fitted to the validation text: one factor for
all logits (Guo et al. 2017 call it the temperature), and for each counted model a correction of its gate that
depends on the confidences. That is a few dozen numbers, all of which the trained weights can take up.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from textgen.evaluation import mean_loss, strips_of
from textgen.experts.mixing import Read, fitted
from textgen.inference import log_softmax
from textgen.inference.stepper import Correcting
from textgen.model import TextModel
from textgen.tokenizers import Tokens
from textgen.training.plan import Weights

_ELEMENTS = 1 << 20
"""Logits to which the gates are fitted: 16,000 positions of 66 symbols."""
_MOST_ELEMENTS = 8 << 20
_FEWEST = 1_000
"""Fewest positions. With a vocabulary for which they have more than `_MOST_ELEMENTS`, nothing is fitted."""

_PRIOR = 300.0
"""Draws the gates to the trained ones like so many positions: 100 to 1,000 gave losses within 0.001 nats."""

_AT_ONCE = 1 << 20

Gates = npt.NDArray[np.float64]


def calibrated_loss(model: TextModel, weights: Weights, tokens: Tokens, limit: int) -> float:
    """Fit the last layer, and return nats per token.

    Each half of the positions is measured with the fit to the other half, so the loss is that of text to
    which nothing was fitted. If that is no better than before, the weights stay.

    Args:
        model: the model of the weights.
        weights: of the network, changed in place.
        tokens: the validation text, shape (tokens,).
        limit: number of tokens to read.
    """
    stepper, vocabulary = model.stepper, model.spec.vocabulary
    strips = strips_of(tokens, limit)
    rows, time = strips.shape[0], strips.shape[1] - 1
    positions = max(_FEWEST, _ELEMENTS // vocabulary)
    enough = rows > 1 and rows * time >= _FEWEST and positions * vocabulary <= _MOST_ELEMENTS
    if not enough or not isinstance(stepper, Correcting) or "prior.bias" not in weights:
        return mean_loss(model, tokens, limit=limit)
    nats, halves = _read(model, stepper, strips, positions)
    first = np.zeros((1 + len(weights["prior.bias"]), halves[0][0].trust.shape[1]))
    first[0, 0] = 1
    gain = 0.0
    for half, other in (halves, halves[::-1]):
        found = _fit(half, first)
        gain += sum(each.nats(first) - each.nats(found) for each in other)
    if gain <= 0:
        return nats
    both = [*halves[0], *halves[1]]
    _take_up(weights, _fit(both, first))
    return nats - gain / sum(len(each.targets) for each in both)


def _read(
    model: TextModel, stepper: Correcting, strips: npt.NDArray[np.intp], positions: int
) -> tuple[float, tuple[list[Read], list[Read]]]:
    """Return nats per token on strips, and about so many of their positions, those of each half apart.

    Args:
        model: the model.
        stepper: the model's.
        strips: two or more, shape (strips, time + 1).
        positions: how many to return.
    """
    rows, time = strips.shape[0], strips.shape[1] - 1
    state = model.stepper.initial_state(rows)
    apart = -(-rows * time // positions)
    at_once = max(1, _AT_ONCE // (rows * model.spec.vocabulary))
    halves: tuple[list[Read], list[Read]] = [], []
    nats = 0.0
    for start in range(0, time, at_once):
        some = strips[:, start : start + at_once + 1]
        features = model.stepper.features(some[:, :-1], state)
        logits, probabilities, confidences = stepper.parts(features.reshape(-1, features.shape[-1]))
        targets = some[:, 1:].reshape(-1)
        nats -= float(log_softmax(logits)[np.arange(len(targets)), targets].sum())
        grid = np.arange(len(targets)).reshape(rows, -1)[:, -start % apart :: apart]
        for half, places in zip(halves, (grid[: rows // 2], grid[rows // 2 :]), strict=True):
            kept = places.reshape(-1)
            logs = np.concatenate([logits[None, kept], np.log(probabilities[:, kept])])
            trust = np.concatenate([np.ones((len(kept), 1)), confidences[kept]], axis=1)
            half.append(Read(logs.astype(np.float32), trust, targets[kept]))
    return nats / (rows * time), halves


def _fit(read: list[Read], first: Gates) -> Gates:
    """Return the factor of the logits, and what is added to the gate of each counted model.

    Shape (1 + models, 1 + confidences), of whose first row only the first number counts.
    """
    free = np.ones(first.shape, bool)
    free[0, 1:] = False
    return fitted(read, first, free, _PRIOR / sum(len(each.targets) for each in read))


def _take_up(weights: Weights, gates: Gates) -> None:
    """Change the last layer so that the network computes what was fitted."""
    factor = gates[0, 0]
    for name in ("output.kernel", "output.bias", "prior.gate", "prior.bias", "confidence.gate"):
        if name in weights:
            weights[name] = (weights[name] * factor).astype(np.float32)
    weights["prior.bias"] += gates[1:, 0].astype(np.float32)
    if "confidence.gate" in weights:
        weights["confidence.gate"] += gates[1:, 1:].T.astype(np.float32)
