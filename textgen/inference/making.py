"""From a bundle's network to the stepper that computes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from textgen.errors import BundleError
from textgen.experts.kneser_ney import KneserNey
from textgen.inference.compiled import CompiledLinearStepper, library
from textgen.inference.gated import GruStepper, LstmStepper
from textgen.inference.linear import LinearStepper
from textgen.inference.stepper import Stepper
from textgen.network.spec import NetworkSpec


def make_stepper(
    spec: NetworkSpec, weights: Mapping[str, npt.NDArray[np.float32]], counted: KneserNey | None = None
) -> Stepper:
    """Return the stepper of a bundle's network, the quickest that there is."""
    if bool(spec.prior) != (counted is not None):
        raise BundleError(f"the network's prior is {spec.prior}, but its counted n-grams are not there")
    code = library()
    if spec.cell == "linear" and code is not None:
        return CompiledLinearStepper(spec, weights, counted, code)
    if spec.cell == "linear":
        return LinearStepper(spec, weights, counted)
    kinds: dict[str, Callable[..., Stepper]] = {"lstm": LstmStepper, "gru": GruStepper}
    return kinds[spec.cell](spec, weights)
