"""Keras' own recurrent layers with a state that is carried from batch to batch, on every backend.

Keras' ``stateful=True`` keeps the state in variables that no model counts among its own. On JAX, whose
compiled step returns every change, such a state would be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from textgen.network.cells.cell import Sizes


class StackedNetwork(keras.layers.Layer):  # type: ignore[misc]  # Keras is untyped
    """Tokens to logits; `textgen.network.cells.keras_layers.KerasNetwork` says inputs and output.

    Attributes:
        layer: the recurrent layer of Keras.
        states_a_layer: number of states that it carries.
        masks: 0, because dropout is computed inside.
    """

    layer: ClassVar[Any]
    states_a_layer: ClassVar[int]
    masks = 0

    def __init__(self, sizes: Sizes, batch: int, random_seed: int, products: str = "float32") -> None:  # noqa: ARG002 -- these layers compute in 32 bits
        """Make the layers; their weights are made at the first call."""
        super().__init__(name="network")
        self._embedding = keras.layers.Embedding(sizes.vocabulary, sizes.embedding)
        self._recurrent = [
            self.layer(sizes.units, return_sequences=True, return_state=True) for _ in range(sizes.layers)
        ]
        self._dropout = [
            keras.layers.Dropout(sizes.dropout, seed=random_seed + layer) for layer in range(sizes.layers)
        ]
        self._output = keras.layers.Dense(sizes.vocabulary)
        self.states = [
            self.add_weight(
                name=f"s{number}", shape=(batch, sizes.units), initializer="zeros", trainable=False
            )
            for number in range(sizes.layers * self.states_a_layer)
        ]

    def call(self, inputs: Sequence[Any], training: bool = False) -> Any:
        """Return logits and move the state on."""
        tokens, *goes_on = inputs
        x = self._embedding(tokens)
        a_layer = self.states_a_layer
        for number, (recurrent, dropout) in enumerate(zip(self._recurrent, self._dropout, strict=True)):
            carried = self.states[number * a_layer : (number + 1) * a_layer]
            # Copies, because torch assigns in place and needs the previous state for the gradients.
            before = [ops.copy(state) * goes_on[0] if goes_on else ops.copy(state) for state in carried]
            x, *after = recurrent(x, initial_state=before)
            for state, value in zip(carried, after, strict=True):
                state.assign(value)
            x = dropout(x, training=training)
        return self._output(x)

    @property
    def named(self) -> dict[str, keras.Variable]:
        """The trained variables under their names in `Cell.shapes`."""
        named = {"embedding": self._embedding.embeddings}
        for number, layer in enumerate(self._recurrent):
            named[f"layer{number}.kernel"] = layer.cell.kernel
            named[f"layer{number}.recurrent_kernel"] = layer.cell.recurrent_kernel
            named[f"layer{number}.bias"] = layer.cell.bias
        return named | {"output.kernel": self._output.kernel, "output.bias": self._output.bias}
