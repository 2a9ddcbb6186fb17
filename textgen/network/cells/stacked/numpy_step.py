"""A stack of recurrent layers in NumPy, one step at a time, as Keras computes it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from textgen.inference.numerics import Float32, Float64
from textgen.inference.stepper import State
from textgen.network.cells.cell import Sizes, Weights


class StackedStepper(ABC):
    """Embedding, recurrent layers, linear output.

    Attributes:
        units: size of each layer's output.
        recurrent: each layer's recurrent kernel, shape (units, gates).
        biases: each layer's bias.
        states_a_layer: number of arrays, shape (batch, units), that a layer carries.
    """

    states_a_layer: ClassVar[int]

    def __init__(self, sizes: Sizes, weights: Weights) -> None:
        """Widen the weights to 64 bits (`textgen.inference.numerics` says why)."""
        self.units, self._layers = sizes.units, range(sizes.layers)
        wide = {name: array.astype(np.float64) for name, array in weights.items()}
        self._kernels = [wide[f"layer{n}.kernel"] for n in self._layers]
        self.recurrent = [wide[f"layer{n}.recurrent_kernel"] for n in self._layers]
        self.biases = [wide[f"layer{n}.bias"] for n in self._layers]
        self._output, self._output_bias = wide["output.kernel"], wide["output.bias"]
        # The first layer sees only embeddings, so its product with each of them is computed once.
        self._first = wide["embedding"] @ self._kernels[0]  # (vocabulary, gates)

    def initial_state(self, batch: int) -> State:
        """Return zeros, `states_a_layer` arrays for each layer."""
        count = len(self._layers) * self.states_a_layer
        return [np.zeros((batch, self.units), np.float32) for _ in range(count)]

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
        for layer in self._layers:
            hidden = self.advance_layer(layer, x, state[layer * per_layer : (layer + 1) * per_layer])
            if layer + 1 < len(self._layers):
                x = hidden @ self._kernels[layer + 1]
        return hidden

    @abstractmethod
    def advance_layer(self, layer: int, x: Float64, state: list[Float32]) -> Float64:
        """Advance a layer by one token.

        Args:
            layer: its number, from 0.
            x: the layer's input times its kernel, shape (batch, gates).
            state: the layer's `states_a_layer` arrays, changed in place.

        Returns:
            The layer's output, shape (batch, units).
        """
