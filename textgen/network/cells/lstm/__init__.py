"""The cell ``lstm``: long short-term memory (Hochreiter and Schmidhuber 1997), as Keras computes it."""

from __future__ import annotations

import numpy as np

from textgen.inference.numerics import Float32, Float64, sigmoid
from textgen.network.cells.stacked import StackedCell
from textgen.network.cells.stacked.numpy_step import StackedStepper


class LstmStepper(StackedStepper):
    """The LSTM in NumPy; Keras orders the gates input, forget, candidate, output."""

    states_a_layer = 2

    def advance_layer(self, layer: int, x: Float64, state: list[Float32]) -> Float64:
        """Advance a layer; see `StackedStepper.advance_layer`. The state is h and c."""
        h, c = state
        units = self.units
        z = x + h.astype(np.float64) @ self.recurrent[layer] + self.biases[layer]
        gates = sigmoid(z)
        candidate = np.tanh(z[:, 2 * units : 3 * units])
        c[:] = gates[:, units : 2 * units] * c + gates[:, :units] * candidate
        h[:] = gates[:, 3 * units :] * np.tanh(c.astype(np.float64))
        return h.astype(np.float64)


class Lstm(StackedCell):
    """The cell of the preset ``classic``."""

    name = "lstm"
    gates = 4
    step = LstmStepper
