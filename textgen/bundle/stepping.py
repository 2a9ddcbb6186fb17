"""From a bundle to the stepper that computes its model."""

from __future__ import annotations

from textgen.bundle.contents import Bundle
from textgen.bundle.untrained import Untrained
from textgen.errors import BundleError
from textgen.inference import Stepper
from textgen.network.cells.cell import Weights
from textgen.network.making import make_stepper
from textgen.pretrained import llama
from textgen.pretrained.adapter import LowRank
from textgen.pretrained.tuned.spec import MIXTURE, TunedSpec
from textgen.pretrained.tuned.stepper import MixedStepper


def stepper_of(bundle: Bundle | Untrained) -> Stepper:
    """Return the fastest stepper of a bundle's model on this machine.

    Raises:
        BundleError: the parts of the bundle do not belong together.
    """
    if isinstance(bundle, Untrained):
        return llama.make_stepper(bundle.base)
    spec = bundle.spec
    if not isinstance(spec, TunedSpec):
        return make_stepper(spec, bundle.weights, bundle.experts)
    if bundle.base is None or bundle.counted is None:
        raise BundleError(f"the model is a fine-tuned {spec.base}, but its base or its n-grams are not there")
    network = llama.make_stepper(bundle.base, adapter_of(bundle.weights))
    return MixedStepper(network, bundle.counted, bundle.weights[MIXTURE], bundle.base.sha256)


def adapter_of(weights: Weights) -> dict[str, LowRank]:
    """Return the adapter that a bundle's weights hold."""
    kernels = dict.fromkeys(name.rpartition(".")[0] for name in weights if name != MIXTURE)
    return {kernel: LowRank(weights[f"{kernel}.down"], weights[f"{kernel}.up"]) for kernel in kernels}
