"""The cell ``linear``: gated linear recurrences in residual blocks, which correct counted n-grams.

``keras_layer.py`` names the papers. ``numpy_step.py`` and ``linear.c`` compute the same network for serving.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textgen.errors import SettingsError
from textgen.experts.expert import Expert
from textgen.inference import Stepper
from textgen.network.cells.cell import Cell, Recipe, Shapes, Sizes, Weights
from textgen.network.cells.linear import compiled_step
from textgen.network.cells.linear.numpy_step import CONVOLUTION, LinearStepper


class Linear(Cell):
    """The default cell: training computes all time steps of a window in parallel."""

    name = "linear"
    recipe: ClassVar[Recipe] = {
        "expansion": 0,
        "prior": 6,
        "experts": ("words", "long"),
        "fresh_starts": 1 / 16,
        "dropout": 0.1,
        "optimizer": "adamw",
        "learning_rate": 6e-3,
        "schedule": "cosine",
        "batch_size": 16,
        "seq_length": 64,
        "seq_step": 64,
        "num_epochs": 6,
    }
    # Wide layers learn better from smaller steps.
    recipes_by_preset: ClassVar = {"medium": {"learning_rate": 3e-3}, "large": {"learning_rate": 3e-3}}
    # Found on Shakespeare: there are several times fewer tokens to learn from.
    recipes_by_level: ClassVar = {
        "word": {"experts": (), "batch_size": 8, "num_epochs": 3},
        "subword": {"experts": ()},
        "byte": {"experts": ()},
    }
    gains_from_xla = True

    def check(self, sizes: Sizes) -> None:
        """Refuse embeddings of another size: no projection stands between them and the layers."""
        if sizes.embedding != sizes.units:
            raise SettingsError(
                f"embedding is {sizes.embedding} and units {sizes.units}; in the cell linear they are equal"
            )

    def shapes(self, sizes: Sizes) -> Shapes:
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

    def stepper(self, sizes: Sizes, weights: Weights, experts: Sequence[Expert]) -> Stepper:
        """Return the compiled step, or NumPy's where there is no compiled code for this machine."""
        code = compiled_step.library()
        if code is None:
            return LinearStepper(sizes, weights, experts)
        return compiled_step.CompiledLinearStepper(sizes, weights, experts, code)
