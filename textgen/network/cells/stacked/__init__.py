"""What the cells ``lstm`` and ``gru`` share: embedding, recurrent layers one on another, linear output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textgen.errors import SettingsError
from textgen.experts.expert import Expert
from textgen.inference import Stepper
from textgen.network.cells.cell import Cell, Recipe, Shapes, Sizes, Weights
from textgen.network.cells.stacked.numpy_step import StackedStepper


class StackedCell(Cell):
    """A cell that Keras has a layer for.

    Attributes:
        gates: width of the kernels as a multiple of the units.
        biases: shape of a layer's bias without its last axis, the width of the kernels.
        step: the NumPy step.
    """

    recipe: ClassVar[Recipe] = {
        "embedding_size": 64,
        "fresh_starts": 1 / 16,
        "dropout": 0.0,
        "optimizer": "adam",
        "learning_rate": 5e-3,
        "schedule": "cosine",
        "batch_size": 64,
        "seq_length": 50,
        "seq_step": 50,
        "num_epochs": 10,
    }
    suits_classic = True
    gates: ClassVar[int]
    biases: ClassVar[tuple[int, ...]] = ()
    step: ClassVar[type[StackedStepper]]

    def check(self, sizes: Sizes) -> None:
        """Refuse what only the cell ``linear`` has."""
        if sizes.expansion or sizes.prior:
            raise SettingsError(f"expansion and prior are for the cell linear; the cell is {self.name}")

    def shapes(self, sizes: Sizes) -> Shapes:
        """Return the name and shape of each parameter."""
        shapes: Shapes = {"embedding": (sizes.vocabulary, sizes.embedding)}
        width, gates = sizes.embedding, self.gates * sizes.units
        for layer in range(sizes.layers):
            shapes[f"layer{layer}.kernel"] = (width, gates)
            shapes[f"layer{layer}.recurrent_kernel"] = (sizes.units, gates)
            shapes[f"layer{layer}.bias"] = (*self.biases, gates)
            width = sizes.units
        shapes["output.kernel"] = (width, sizes.vocabulary)
        shapes["output.bias"] = (sizes.vocabulary,)
        return shapes

    def stepper(self, sizes: Sizes, weights: Weights, experts: Sequence[Expert]) -> Stepper:  # noqa: ARG002 -- see Cell
        """Return the step in NumPy."""
        return self.step(sizes, weights)
