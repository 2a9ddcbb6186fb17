"""The cell ``gru``: the gated recurrent unit (Cho et al. 2014), as Keras computes it."""

from __future__ import annotations

import numpy as np

from textgen.inference.numerics import Float32, Float64, sigmoid
from textgen.network.cells.stacked import StackedCell
from textgen.network.cells.stacked.numpy_step import StackedStepper


class GruStepper(StackedStepper):
    """The GRU in NumPy, with the reset gate after the product; Keras orders update, reset, candidate."""

    states_a_layer = 1

    def advance_layer(self, layer: int, x: Float64, state: list[Float32]) -> Float64:
        """Advance a layer; see `StackedStepper.advance_layer`. The state is h."""
        (h,) = state
        units = self.units
        before = h.astype(np.float64)
        x = x + self.biases[layer][0]
        recurrent = before @ self.recurrent[layer] + self.biases[layer][1]
        update = sigmoid(x[:, :units] + recurrent[:, :units])
        reset = sigmoid(x[:, units : 2 * units] + recurrent[:, units : 2 * units])
        candidate = np.tanh(x[:, 2 * units :] + reset * recurrent[:, 2 * units :])
        h[:] = update * before + (1 - update) * candidate
        return h.astype(np.float64)


class Gru(StackedCell):
    """Three gates instead of the four of the LSTM, and one state instead of two."""

    name = "gru"
    gates = 3
    biases = (2,)  # Keras adds a second one inside the reset gate
    step = GruStepper
