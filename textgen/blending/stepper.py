"""The stepper of a blend: both networks step, and their log probabilities are added, each with its weight."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from textgen.blending.alphabet import Shared
from textgen.inference import State, Stepper, log_softmax
from textgen.inference.numerics import Float64


class BlendedStepper:
    """A `Stepper` whose state is that of one network, and then that of the other; so are its features.

    Args:
        steppers: of the two models.
        shared: their shared tokens.
        mix: weight of the second model, above 0 and below 1.
    """

    def __init__(self, steppers: tuple[Stepper, Stepper], shared: Shared, mix: float) -> None:
        """Find out how long state and features of the first network are."""
        self._steppers, self._parts = steppers, shared.parts
        self._weights = 1 - mix, mix
        state = steppers[0].initial_state(1)
        self._states = len(state)
        self._features = steppers[0].features(np.zeros((1, 1), np.intp), state).shape[-1]

    def initial_state(self, batch: int) -> State:
        """Return the state of ``batch`` texts before their first token."""
        return [array for stepper in self._steppers for array in stepper.initial_state(batch)]

    def step(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed one token to each text; see `textgen.inference.Stepper.step`."""
        logits = []
        for stepper, part, own in zip(self._steppers, self._parts, self._divided(state), strict=True):
            logits.append(stepper.step(part.read[tokens], state_of := state[own]))
            # A stepper may have replaced an array by a longer one.
            state[own] = state_of
        return self._blended(logits)

    def features(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed several tokens to each text; see `textgen.inference.Stepper.features`."""
        features = []
        for stepper, part, own in zip(self._steppers, self._parts, self._divided(state), strict=True):
            features.append(stepper.features(part.read[tokens], state_of := state[own]))
            state[own] = state_of
        return np.concatenate(features, axis=-1)

    def logits(self, features: Float64) -> Float64:
        """Return the natural-log probabilities after each position."""
        own = np.split(features, [self._features], axis=-1)
        return self._blended(
            [stepper.logits(part) for stepper, part in zip(self._steppers, own, strict=True)]
        )

    def _divided(self, state: State) -> tuple[slice, slice]:
        return slice(0, self._states), slice(self._states, len(state))

    def _blended(self, logits: list[Float64]) -> Float64:
        first, second = (
            weight * part.log_probabilities(found)
            for weight, part, found in zip(self._weights, self._parts, logits, strict=True)
        )
        return log_softmax(first + second)
