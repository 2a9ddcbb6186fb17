"""The LSTM and the GRU of Keras with a state that is carried from batch to batch, on every backend.

Keras' own ``stateful=True`` keeps the state in variables that no model counts among its own; on JAX,
whose compiled step returns every change, theirs would be lost. `textgen.inference.gated` is its twin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from textgen.network.spec import NetworkSpec

_KINDS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


class GatedNetwork(keras.layers.Layer):  # type: ignore[misc]  # Keras is untyped
    """Tokens, shape (batch, time), to logits, shape (batch, time, vocabulary).

    A second input, shape (batch, 1), may say which texts go on (1) and which begin anew (0). The state
    lives in variables that one call leaves to the next.
    """

    def __init__(self, spec: NetworkSpec, batch: int, random_seed: int) -> None:
        """Make the layers; their weights come with the first call."""
        super().__init__(name="network")
        self._embedding = keras.layers.Embedding(spec.vocabulary, spec.embedding)
        self._recurrent = [
            _KINDS[spec.cell](spec.units, return_sequences=True, return_state=True)
            for _ in range(spec.layers)
        ]
        self._dropout = [
            keras.layers.Dropout(spec.dropout, seed=random_seed + layer) for layer in range(spec.layers)
        ]
        self._output = keras.layers.Dense(spec.vocabulary)
        a_layer = 2 if spec.cell == "lstm" else 1
        self.states = [
            self.add_weight(
                name=f"s{number}", shape=(batch, spec.units), initializer="zeros", trainable=False
            )
            for number in range(spec.layers * a_layer)
        ]

    def call(self, inputs: Sequence[Any], training: bool = False) -> Any:
        """Return logits and move the state on."""
        tokens, *goes_on = inputs
        x = self._embedding(tokens)
        a_layer = len(self.states) // len(self._recurrent)
        for number, (recurrent, dropout) in enumerate(zip(self._recurrent, self._dropout, strict=True)):
            carried = self.states[number * a_layer : (number + 1) * a_layer]
            # Copies, because torch assigns in place and needs the state before for the gradients.
            before = [ops.copy(state) * goes_on[0] if goes_on else ops.copy(state) for state in carried]
            x, *after = recurrent(x, initial_state=before)
            for state, value in zip(carried, after, strict=True):
                state.assign(value)
            x = dropout(x, training=training)
        return self._output(x)

    @property
    def named(self) -> dict[str, keras.Variable]:
        """The trained variables under their names in `NetworkSpec.shapes`."""
        named = {"embedding": self._embedding.embeddings}
        for number, layer in enumerate(self._recurrent):
            named[f"layer{number}.kernel"] = layer.cell.kernel
            named[f"layer{number}.recurrent_kernel"] = layer.cell.recurrent_kernel
            named[f"layer{number}.bias"] = layer.cell.bias
        return named | {"output.kernel": self._output.kernel, "output.bias": self._output.bias}
