"""One step of a network: a token in, the logits of the next token out, a small state carried along."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from textgen.errors import BundleError
from textgen.inference.numerics import Float32, Float64
from textgen.kneser_ney import KneserNey
from textgen.spec import NetworkSpec

State = list[Float32]
"""For each carried quantity an array whose first axis is the batch."""


class Stepper(Protocol):
    """A network that writes one token at a time, for a batch of independent texts."""

    spec: NetworkSpec

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
        """Feed several tokens to each text, as many steps would, but without their logits.

        Args:
            tokens: shape (batch, time), at least one.
            state: changed in place.

        Returns:
            What `logits` needs, for each position: shape (batch, time, features).
        """
        ...

    def logits(self, features: Float64) -> Float64:
        """Return logits, shape (..., vocabulary), of features, shape (..., features)."""
        ...


def make_stepper(
    spec: NetworkSpec, weights: Mapping[str, npt.NDArray[np.float32]], counted: KneserNey | None = None
) -> Stepper:
    """Return the stepper of a bundle's network, the quickest that there is."""
    if bool(spec.prior) != (counted is not None):
        raise BundleError(f"the network's prior is {spec.prior}, but its counted n-grams are not there")
    from textgen.inference.compiled import CompiledLinearStepper, library
    from textgen.inference.gated import GruStepper, LstmStepper
    from textgen.inference.linear import LinearStepper

    code = library()
    if spec.cell == "linear" and code is not None:
        return CompiledLinearStepper(spec, weights, counted, code)
    if spec.cell == "linear":
        return LinearStepper(spec, weights, counted)
    kinds: dict[str, Callable[..., Stepper]] = {"lstm": LstmStepper, "gru": GruStepper}
    return kinds[spec.cell](spec, weights)
