"""From a bundle's network to the stepper that computes it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from textgen.errors import BundleError
from textgen.experts.kneser_ney import KneserNey
from textgen.inference import Stepper
from textgen.network.cells.registry import CELLS
from textgen.network.spec import NetworkSpec


def make_stepper(
    spec: NetworkSpec, weights: Mapping[str, npt.NDArray[np.float32]], counted: KneserNey | None = None
) -> Stepper:
    """Return the fastest stepper of a bundle's network on this machine.

    Args:
        spec: the network.
        weights: arrays under the names of `NetworkSpec.shapes`.
        counted: the counted n-grams, if the spec has a prior.

    Raises:
        BundleError: the spec has a prior and there are no n-grams, or the other way round.
    """
    if bool(spec.prior) != (counted is not None):
        raise BundleError(f"the network's prior is {spec.prior}, but its counted n-grams are not there")
    return CELLS[spec.cell].stepper(spec, weights, counted)
