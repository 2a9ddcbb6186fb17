"""From a bundle to the stepper that computes its model."""

from __future__ import annotations

from textgen.bundle.contents import Bundle
from textgen.bundle.untrained import Untrained
from textgen.inference import Stepper
from textgen.network.making import make_stepper
from textgen.pretrained import llama


def stepper_of(bundle: Bundle | Untrained) -> Stepper:
    """Return the fastest stepper of a bundle's model on this machine.

    Raises:
        BundleError: the parts of the bundle do not belong together.
    """
    if isinstance(bundle, Untrained):
        return llama.make_stepper(bundle.base)
    return make_stepper(bundle.spec, bundle.weights, bundle.counted)
