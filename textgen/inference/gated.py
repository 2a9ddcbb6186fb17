"""The LSTM and the GRU as Keras computes them, one step at a time in NumPy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from textgen.inference.numerics import Float32, Float64, sigmoid
from textgen.inference.stepper import State
from textgen.network.spec import NetworkSpec


class _StackedStepper(ABC):
    """Embedding, recurrent layers, linear output."""

    states_a_layer: int

    def __init__(self, spec: NetworkSpec, weights: Mapping[str, npt.NDArray[np.float32]]) -> None:
        """Widen the weights to 64 bits (see `numerics`)."""
        self.spec = spec
        wide = {name: array.astype(np.float64) for name, array in weights.items()}
        self._kernels = [wide[f"layer{n}.kernel"] for n in range(spec.layers)]
        self._recurrent = [wide[f"layer{n}.recurrent_kernel"] for n in range(spec.layers)]
        self._biases = [wide[f"layer{n}.bias"] for n in range(spec.layers)]
        self._output, self._output_bias = wide["output.kernel"], wide["output.bias"]
        # The first layer sees nothing but embeddings, so its product with each is a table to look up.
        self._first = wide["embedding"] @ self._kernels[0]  # (vocabulary, gates)

    def initial_state(self, batch: int) -> State:
        """Return zeros: for each layer its output, and for the LSTM its cell."""
        return [
            np.zeros((batch, self.spec.units), np.float32)
            for _ in range(self.spec.layers * self.states_a_layer)
        ]

    def step(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed one token to each text; see `textgen.inference.stepper.Stepper.step`."""
        return self.logits(self._advance(tokens, state))

    def features(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed several tokens; see `textgen.inference.stepper.Stepper.features`."""
        return np.stack([self._advance(tokens[:, time], state) for time in range(tokens.shape[1])], axis=1)

    def logits(self, features: Float64) -> Float64:
        """Return logits, shape (..., vocabulary), from features, shape (..., units)."""
        return features @ self._output + self._output_bias

    def _advance(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        per_layer = self.states_a_layer
        x = self._first[tokens]  # (batch, gates)
        hidden: Float64 | None = None
        for layer in range(self.spec.layers):
            if hidden is not None:
                x = hidden @ self._kernels[layer]
            hidden = self._cell(layer, x, state[layer * per_layer : (layer + 1) * per_layer])
        assert hidden is not None  # noqa: S101 -- a spec has at least one layer
        return hidden

    @abstractmethod
    def _cell(self, layer: int, x: Float64, state: list[Float32]) -> Float64:
        """Advance a layer and return its output, shape (batch, units).

        ``x`` is the layer's input times its kernel, shape (batch, gates).
        """


class LstmStepper(_StackedStepper):
    """Long short-term memory; Keras orders the gates input, forget, candidate, output."""

    states_a_layer = 2

    def _cell(self, layer: int, x: Float64, state: list[Float32]) -> Float64:
        hidden, cell = state
        units = self.spec.units
        z = x + hidden.astype(np.float64) @ self._recurrent[layer] + self._biases[layer]
        gates = sigmoid(z)
        candidate = np.tanh(z[:, 2 * units : 3 * units])
        cell[:] = gates[:, units : 2 * units] * cell + gates[:, :units] * candidate
        hidden[:] = gates[:, 3 * units :] * np.tanh(cell.astype(np.float64))
        return hidden.astype(np.float64)


class GruStepper(_StackedStepper):
    """Gated recurrent unit with the reset gate after the product; Keras orders update, reset, candidate."""

    states_a_layer = 1

    def _cell(self, layer: int, x: Float64, state: list[Float32]) -> Float64:
        (hidden,) = state
        units = self.spec.units
        before = hidden.astype(np.float64)
        x = x + self._biases[layer][0]
        h = before @ self._recurrent[layer] + self._biases[layer][1]
        update = sigmoid(x[:, :units] + h[:, :units])
        reset = sigmoid(x[:, units : 2 * units] + h[:, units : 2 * units])
        candidate = np.tanh(x[:, 2 * units :] + reset * h[:, 2 * units :])
        hidden[:] = update * before + (1 - update) * candidate
        return hidden.astype(np.float64)
