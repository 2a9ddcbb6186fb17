"""One step of a network: a token in, the logits of the next token out, a small state carried along."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from textgen.inference.numerics import Float64

State = list[npt.NDArray[Any]]
"""One array for each quantity that is carried from step to step; the first axis is the batch.

A recurrent network carries 32-bit floats, a transformer references to what each text has read."""


class Stepper(Protocol):
    """A network that writes one token at a time, for a batch of independent texts."""

    def initial_state(self, batch: int) -> State:
        """Return the state of ``batch`` texts before their first token."""
        ...

    def step(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed one token to each text.

        Args:
            tokens: shape (batch,).
            state: changed in place.

        Returns:
            Logits of the next token, shape (batch, vocabulary).
        """
        ...

    def features(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed several tokens to each text, with the same result as single steps, but without their logits.

        Args:
            tokens: shape (batch, time), at least one.
            state: changed in place.

        Returns:
            The input of `logits` for each position: shape (batch, time, features).
        """
        ...

    def logits(self, features: Float64) -> Float64:
        """Return logits, shape (..., vocabulary), of features, shape (..., features)."""
        ...


@runtime_checkable
class Correcting(Protocol):
    """A stepper of a network that corrects what counted models expect."""

    def parts(self, features: Float64) -> tuple[Float64, Float64, Float64]:
        """Return what the counted models' gates work on, at some positions.

        Args:
            features: what `Stepper.features` returned, shape (positions, features).

        Returns:
            The logits, shape (positions, vocabulary); each model's probabilities, shape (models, positions,
            vocabulary); and their confidences, shape (positions, confidences).
        """
        ...
