"""The stepper of a fine-tuned base: its network's probabilities, mixed with those of the n-grams."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from textgen.experts.kneser_ney import KneserNey
from textgen.experts.ngram_order import Floats
from textgen.experts.single_tokens import after
from textgen.inference import State, Stepper, log_softmax
from textgen.inference.ngram_lookup import NgramLookup
from textgen.inference.numerics import Float64
from textgen.pretrained.tuned.mixture import kind_of, mixed
from textgen.tokenizers import UNKNOWN

_POSITIONS = 64
"""Positions whose probabilities are mixed at a time: each has one for every token of a large vocabulary."""


class MixedStepper:
    """A `Stepper` that mixes another with n-grams (`textgen.pretrained.tuned.mixture`).

    Its state is the other's, and then the last tokens of each text. The features are the other's, followed by
    those tokens.

    Args:
        network: the stepper of the network.
        counted: the n-grams.
        weights: of the mixture, shape (kinds,).
    """

    def __init__(self, network: Stepper, counted: KneserNey, weights: Floats) -> None:
        """Prepare the lookups."""
        self._network, self._counted, self._weights = network, counted, weights
        self._lookup = NgramLookup(counted)

    def initial_state(self, batch: int) -> State:
        """Return the state of ``batch`` texts before their first token."""
        before = np.full((batch, self._counted.before), UNKNOWN, np.float32)
        return [*self._network.initial_state(batch), before]

    def step(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed one token to each text; see `textgen.inference.Stepper.step`."""
        *inner, before = state
        logits = self._network.step(tokens, inner)
        _refill(state, inner)
        contexts = _moved(before, tokens[:, None])[:, 0]
        return self._mixed(logits, contexts)

    def features(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed several tokens to each text; see `textgen.inference.Stepper.features`."""
        *inner, before = state
        features = self._network.features(tokens, inner)
        _refill(state, inner)
        return np.concatenate([features, _moved(before, tokens)], axis=-1)

    def logits(self, features: Float64) -> Float64:
        """Return the natural-log probabilities after each position."""
        inner, contexts = np.split(features, [features.shape[-1] - self._counted.before], axis=-1)
        flat, contexts = inner.reshape(-1, inner.shape[-1]), contexts.reshape(-1, self._counted.before)
        found = [
            self._mixed(self._network.logits(flat[some]), contexts[some])
            for first in range(0, len(flat), _POSITIONS)
            for some in (slice(first, first + _POSITIONS),)
        ]
        return np.concatenate(found).reshape(*features.shape[:-1], -1)

    def _mixed(self, logits: Float64, contexts: npt.NDArray[np.floating]) -> Float64:
        kind = kind_of(after(self._counted, contexts.astype(np.int64)))
        network, counts = np.exp(log_softmax(logits)), self._lookup.probabilities(contexts)
        found = mixed(network, counts, kind[:, None], self._weights)
        # Tokens that the network never writes, such as special ones, are not written for their counts either.
        found[network == 0] = -np.inf
        return found


def _refill(state: State, inner: State) -> None:
    """Put back what the network's stepper left: it may have replaced an array by a longer one."""
    state[: len(inner)] = inner


def _moved(before: npt.NDArray[np.float32], tokens: npt.NDArray[np.intp]) -> Float64:
    """Return the tokens before each next one, shape (batch, time, before); move ``before`` on in place."""
    length = before.shape[1]
    along = np.concatenate([before.astype(np.float64), tokens], axis=1)
    contexts = np.lib.stride_tricks.sliding_window_view(along[:, 1:], length, axis=1)
    before[:] = along[:, along.shape[1] - length :]
    return contexts
