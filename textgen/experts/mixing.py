"""Mixing counted models without a network: a product of their probabilities, each to the power of a gate.

The gate of an expert at a position is a linear function of how far all counts can be trusted there (the
confidences of `textgen.experts.expert`). A network of the cell ``linear`` whose other weights are 0 computes
the same, so the mixture is served, saved and improved like any network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from textgen.experts.expert import Expected, Expert
from textgen.experts.ngram_order import Floats, Integers, Numbers

Losses = npt.NDArray[np.float64]

_STRETCH = 64
_STEPS = 8
_ENOUGH = 1e-4
"""A step that lowers the loss by less is the last."""
_SHORTEST = 1 / 16
_RIDGE = 1e-3
"""Draws the gates towards 1 / number of experts: 0.0001 to 0.01 gave losses within 0.5 % of each other."""

_AT_ONCE = 500_000
"""Probabilities of an expert that are looked at at a time."""

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


def even(experts: Sequence[Expert]) -> Floats:
    """Return the gates of experts that all have the same weight everywhere; see `gates_for`."""
    gates = np.zeros((len(experts), 1 + sum(expert.confidences for expert in experts)), np.float32)
    gates[:, 0] = 1 / len(experts)
    return gates


def gates_for(experts: Sequence[Expert], windows: Numbers, before: int) -> Floats:
    """Return the gates with which experts predict the counted text best, each position without itself.

    Args:
        experts: the experts, at least two.
        windows: of the counted text, as `stretches` returns them.
        before: tokens before the first position.

    Returns:
        Shape (experts, 1 + confidences): the constant, and the factor of each confidence.
    """
    read = list(_read(experts, windows, before, counted=True))
    first = even(experts).astype(np.float64)
    return fitted(read, first, np.ones(first.shape, bool), _RIDGE).astype(np.float32)


def fitted(read: Sequence[Read], first: Losses, free: npt.NDArray[np.bool_], ridge: float) -> Losses:
    """Return the gates with which a mixture predicts some positions best.

    Args:
        read: the positions.
        first: the gates to begin with, shape (experts, 1 + confidences).
        free: which of them may change, same shape.
        ridge: draws the gates towards the first ones: nats per position for half of a squared difference.
    """
    positions = sum(len(each.targets) for each in read)

    def measured(gates: Losses) -> float:
        nats = sum(each.nats(gates) for each in read) / positions
        return float(nats + 0.5 * ridge * np.square(gates - first).sum())

    gates, loss, chosen = first, measured(first), np.flatnonzero(free)
    for _ in range(_STEPS):
        # Newton's method: the loss is convex in the gates.
        slope = ridge * (gates - first).reshape(-1)
        curvature = ridge * np.eye(gates.size)
        for each in read:
            first_derivatives, second = _derivatives(each, gates)
            slope += first_derivatives / positions
            curvature += second / positions
        step: Losses = np.zeros(gates.shape)
        step.flat[chosen] = np.linalg.solve(curvature[np.ix_(chosen, chosen)], slope[chosen])
        length, lower = 1.0, measured(gates - step)
        while lower > loss and length > _SHORTEST:
            length /= 2
            lower = measured(gates - length * step)
        if lower > loss:
            break
        gates, gained, loss = gates - length * step, loss - lower, lower
        if gained < _ENOUGH:
            break
    return gates


def losses_of(
    experts: Sequence[Expert], gates: Floats, windows: Numbers, before: int
) -> tuple[float, list[float]]:
    """Return the nats per token of a mixture, and of each expert alone.

    Args:
        experts: the experts.
        gates: see `gates_for`.
        windows: of a text that was not counted, as `stretches` returns them.
        before: tokens before the first position.
    """
    nats, positions, alone = 0.0, 0, np.zeros(len(experts))
    for each in _read(experts, windows, before, counted=False):
        nats += each.nats(gates.astype(np.float64))
        positions += len(each.targets)
        alone -= each.logs[:, np.arange(len(each.targets)), each.targets].sum(axis=1, dtype=np.float64)
    return nats / positions, (alone / positions).tolist()


@dataclass(frozen=True, slots=True)
class Read:
    """What experts expect at some positions. A network that corrects them can be one of them.

    Attributes:
        logs: natural-log probabilities, shape (experts, positions, vocabulary); of a network, its logits.
        trust: 1 and all confidences, shape (positions, 1 + confidences).
        targets: the tokens that came, shape (positions,).
    """

    logs: Floats
    trust: Losses
    targets: Integers

    def mixed(self, gates: Losses) -> Losses:
        """Return the log probabilities of a mixture, shape (positions, vocabulary)."""
        weights = self.trust @ gates.T
        mixed: Losses = np.zeros(self.logs.shape[1:])
        for logs, weight in zip(self.logs, weights.T, strict=True):
            mixed += logs * weight[:, None]
        mixed -= mixed.max(axis=1, keepdims=True)
        mixed -= np.log(np.exp(mixed).sum(axis=1, keepdims=True))
        return mixed

    def nats(self, gates: Losses) -> float:
        """Return the sum of a mixture's losses."""
        return -float(self.mixed(gates)[np.arange(len(self.targets)), self.targets].sum())


def _derivatives(read: Read, gates: Losses) -> tuple[Losses, Losses]:
    """Return the first and second derivatives of `Read.nats`, the gates as one row."""
    experts, rows = len(gates), np.arange(len(read.targets))
    shares = np.exp(read.mixed(gates))
    means = np.stack([np.einsum("pv,pv->p", logs, shares) for logs in read.logs])
    slope = (means - read.logs[:, rows, read.targets]) @ read.trust
    curvature = np.empty((experts, gates.shape[1], experts, gates.shape[1]))
    for one in range(experts):
        for two in range(one, experts):
            spread = np.einsum("pv,pv,pv->p", read.logs[one], read.logs[two], shares)
            spread -= means[one] * means[two]
            block = read.trust.T @ (read.trust * spread[:, None])
            curvature[one, :, two] = curvature[two, :, one] = block
    return slope.reshape(-1), curvature.reshape(gates.size, gates.size)


def _read(experts: Sequence[Expert], windows: Numbers, before: int, *, counted: bool) -> Iterator[Read]:
    """Look positions up, some windows at a time.

    Args:
        experts: the experts.
        windows: as `stretches` returns them.
        before: tokens before the first position.
        counted: whether the windows are of the counted text, so that each position is left out.
    """
    targets: Integers = windows[:, before + 1 :].astype(np.int64)
    at_once = max(1, _AT_ONCE // (experts[0].vocabulary * targets.shape[1]))
    for first in range(0, len(windows), at_once):
        some, wanted = windows[first : first + at_once], targets[first : first + at_once].reshape(-1)
        found = [_expected(each, some[:, before - each.before :], counted=counted) for each in experts]
        logs = np.log(np.stack([each.probabilities.reshape(len(wanted), -1) for each in found]))
        confidences = [each.confidences.reshape(len(wanted), -1) for each in found]
        trust = np.concatenate([np.ones((len(wanted), 1)), *confidences], axis=1)
        yield Read(logs, trust, wanted)


def _expected(expert: Expert, windows: Numbers, *, counted: bool) -> Expected:
    return expert.leave_one_out(windows) if counted else expert.expect(windows[:, 1:-1])
