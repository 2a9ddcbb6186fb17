"""The parameters of the cell ``linear``, which its Keras layer and its steps share."""

from __future__ import annotations

from textgen.network.cells.cell import Shapes, Sizes

CONVOLUTION = 4
"""Number of positions that the short causal convolution sees."""


def shapes(sizes: Sizes) -> Shapes:
    """Return the name and shape of each parameter, in the order of the network."""
    units = sizes.units
    found: Shapes = {"embedding": (sizes.vocabulary, units)}
    for layer in range(sizes.layers):
        found |= {
            f"layer{layer}.norm": (units,),
            f"layer{layer}.input": (units, 3 * units),
            f"layer{layer}.convolution": (CONVOLUTION, units),
            f"layer{layer}.forget_bias": (units,),
            f"layer{layer}.output": (units, units),
        }
        if sizes.expansion:
            inner = sizes.expansion * units
            found |= {
                f"layer{layer}.mlp_norm": (units,),
                f"layer{layer}.mlp_input": (units, 2 * inner),
                f"layer{layer}.mlp_output": (inner, units),
            }
    if sizes.feeds_prior:
        found |= {f"{name}.input": (sizes.vocabulary, units) for name in sizes.mixed}
    if sizes.confidences:
        found["confidence.input"] = (sizes.confidences, units)
        found["confidence.gate"] = (sizes.confidences, len(sizes.mixed))
    if sizes.prior:
        found |= {"prior.gate": (units, len(sizes.mixed)), "prior.bias": (len(sizes.mixed),)}
    return found | {
        "norm": (units,),
        "output.kernel": (units, sizes.vocabulary),
        "output.bias": (sizes.vocabulary,),
    }
