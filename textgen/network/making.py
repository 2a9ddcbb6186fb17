"""From a bundle's network to the stepper that computes it."""

from __future__ import annotations

from collections.abc import Sequence

from textgen.errors import BundleError
from textgen.experts.expert import Expert
from textgen.experts.kneser_ney import KneserNey
from textgen.inference import Stepper
from textgen.network.cells.cell import Weights
from textgen.network.cells.registry import CELLS
from textgen.network.spec import NetworkSpec


def make_stepper(spec: NetworkSpec, weights: Weights, experts: Sequence[Expert] = ()) -> Stepper:
    """Return the fastest stepper of a bundle's network on this machine.

    Args:
        spec: the network.
        weights: arrays under the names of `NetworkSpec.shapes`.
        experts: the counted models that the spec names.

    Raises:
        BundleError: there are other counted models than the spec names.
    """
    wanted = [KneserNey.name, *spec.experts] if spec.prior else []
    found = [expert.name for expert in experts]
    if found != wanted:
        raise BundleError(f"the network mixes the counted models {wanted}, but it was given {found}")
    return CELLS[spec.cell].stepper(spec, weights, experts)
