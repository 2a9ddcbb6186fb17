"""The stepper of a fine-tuned base: its network's probabilities, mixed with those of the n-grams."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from textgen.experts.kneser_ney import KneserNey
from textgen.experts.ngram_order import Floats
from textgen.experts.single_tokens import after
from textgen.inference import State, Stepper
from textgen.inference.ngram_lookup import NgramLookup
from textgen.inference.numerics import Float64
from textgen.inference.two_threads import Sharing
from textgen.pretrained.tuned.mixture import kind_of, mix
from textgen.tokenizers import UNKNOWN

_POSITIONS = 64
"""Positions whose probabilities are mixed at a time: each has one for every token of a large vocabulary."""


class _Mixture:
    """The n-grams of a model, and how much each of them and the network count."""

    def __init__(self, counted: KneserNey, weights: Floats) -> None:
        """Prepare the lookups; see `MixedStepper`."""
        self.before = counted.before
        self._counted, self._weights = counted, weights
        self._lookup = NgramLookup(counted)
        self._sharing = Sharing()

    def mix(self, logits: Float64, contexts: npt.NDArray[np.floating]) -> None:
        """Turn the network's logits into the mixture's natural-log probabilities, in place.

        Args:
            logits: shape (texts, vocabulary).
            contexts: the last tokens of each text, shape (texts, before).
        """
        shares = self._weights[kind_of(after(self._counted, contexts.astype(np.int64)))].tolist()
        counts = self._lookup.probabilities(contexts)

        def mix_some(part: slice) -> None:
            for row, counted, share in zip(logits[part], counts[part], shares[part], strict=True):
                mix(row, counted, share)

        self._sharing.run(len(logits), mix_some)


@dataclass(frozen=True, slots=True, eq=False)
class _Tail:
    """The last tokens of a text, and the mixture that it is written with. A value that never changes."""

    mixture: _Mixture
    tokens: tuple[int, ...]

    def copy(self) -> _Tail:
        """Return the tail itself."""
        return self

    def grown(self, tokens: npt.NDArray[np.intp]) -> _Tail:
        """Return the tail of the text after some more tokens."""
        along = (*self.tokens, *tokens.tolist())
        return _Tail(self.mixture, along[len(along) - self.mixture.before :])


class MixedStepper:
    """A `Stepper` that mixes another with n-grams (`textgen.pretrained.tuned.mixture`).

    Its state is the other's, and then the tail of each text. The features are the other's, followed by the
    last tokens. Each text brings its own mixture, and its own adapter in the other's state. So the texts of
    all models of one base can be one batch, whichever of their steppers takes the `step`.

    Args:
        network: the stepper of the network.
        counted: the n-grams.
        weights: of the mixture, shape (kinds,).
        together: equal for steppers whose texts can be one batch: it identifies the base.
    """

    def __init__(self, network: Stepper, counted: KneserNey, weights: Floats, together: str = "") -> None:
        """Prepare the lookups."""
        self.together = together
        self._network, self._mixture = network, _Mixture(counted, weights)

    def initial_state(self, batch: int) -> State:
        """Return the state of ``batch`` texts before their first token."""
        tails = np.empty(batch, object)
        tails.fill(_Tail(self._mixture, (UNKNOWN,) * self._mixture.before))
        return [*self._network.initial_state(batch), tails]

    def step(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed one token to each text; see `textgen.inference.Stepper.step`."""
        *inner, tails = state
        logits = self._network.step(tokens, inner)
        _refill(state, inner)
        rows_of: dict[_Mixture, list[int]] = {}
        for row in range(len(tokens)):
            tails[row] = tails[row].grown(tokens[row : row + 1])
            rows_of.setdefault(tails[row].mixture, []).append(row)
        for mixture, rows in rows_of.items():
            contexts = np.array([tails[row].tokens for row in rows], np.float64)
            contexts = contexts.reshape(len(rows), mixture.before)
            if len(rows) == len(logits):
                mixture.mix(logits, contexts)
            else:
                some = logits[rows]
                mixture.mix(some, contexts)
                logits[rows] = some
        return logits

    def features(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed several tokens to each text; see `textgen.inference.Stepper.features`."""
        *inner, tails = state
        features = self._network.features(tokens, inner)
        _refill(state, inner)
        before = self._mixture.before
        along = np.concatenate(
            [np.array([tail.tokens for tail in tails], np.int64).reshape(-1, before), tokens], axis=1
        )
        contexts = np.lib.stride_tricks.sliding_window_view(along[:, 1:], before, axis=1)
        for row, read in enumerate(tokens):
            tails[row] = tails[row].grown(read)
        return np.concatenate([features, contexts], axis=-1)

    def logits(self, features: Float64) -> Float64:
        """Return the natural-log probabilities after each position."""
        before = self._mixture.before
        inner, contexts = np.split(features, [features.shape[-1] - before], axis=-1)
        flat, contexts = inner.reshape(-1, inner.shape[-1]), contexts.reshape(-1, before)
        found = []
        for first in range(0, len(flat), _POSITIONS):
            found.append(self._network.logits(flat[first : first + _POSITIONS]))
            self._mixture.mix(found[-1], contexts[first : first + _POSITIONS])
        return np.concatenate(found).reshape(*features.shape[:-1], -1)


def _refill(state: State, inner: State) -> None:
    """Put back what the network's stepper left: it may have replaced an array by a longer one."""
    state[: len(inner)] = inner
