"""The network as a Keras model, its weights under the names of `NetworkSpec.shapes`, and its carried state.

Only `keras` is used, so every backend trains it. The state lives in variables that one batch leaves
to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from textgen.ngrams import hashed
from textgen.spec import NetworkSpec
from textgen.training.linear import LinearNetwork

Integers = npt.NDArray[np.int32]

_GATED = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


@dataclass(frozen=True, slots=True)
class Network:
    """A Keras model from tokens (batch, time) to logits (batch, time, vocabulary), not yet compiled.

    Attributes:
        spec: what was built.
        model: the model; the number of texts and of time steps is built in.
        variables: the trained ones under their names.
        states: those that carry the recurrent state.
    """

    spec: NetworkSpec
    model: keras.Model
    variables: dict[str, keras.Variable]
    states: list[keras.Variable]

    @property
    def before(self) -> int:
        """How many tokens before a window its first position looks back at."""
        return max(0, self.spec.ngrams - 1)

    def arrange(self, windows: Integers) -> tuple[Any, Integers]:
        """Return the model's inputs and targets.

        Args:
            windows: tokens, shape (batch, before + time + 1).
        """
        tokens, targets = windows[:, self.before : -1], windows[:, self.before + 1 :]
        if not self.before:
            return [tokens], targets
        return [tokens, hashed(windows[:, :-1], self.spec.ngrams, self.spec.ngram_rows)], targets

    def weights(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return copies of the trained weights."""
        return {name: _copy(variable).astype(np.float32) for name, variable in self.variables.items()}

    def set_weights(self, values: dict[str, npt.NDArray[np.float32]]) -> None:
        """Put weights into the model."""
        for name, variable in self.variables.items():
            variable.assign(values[name])

    def reset_state(self) -> None:
        """Forget what was read."""
        for variable in self.states:
            variable.assign(keras.ops.zeros_like(variable))


def build(spec: NetworkSpec, batch: int, time: int, random_seed: int) -> Network:
    """Return a network with first weights.

    Args:
        spec: what to build.
        batch: number of texts side by side, fixed because each has a carried state.
        time: tokens of a window.
        random_seed: decides first weights and dropout.
    """
    keras.utils.set_random_seed(random_seed)
    make = _linear if spec.cell == "linear" else _gated
    return make(spec, batch, time, random_seed)


def _linear(spec: NetworkSpec, batch: int, time: int, random_seed: int) -> Network:
    tokens = keras.Input(batch_shape=(batch, time), dtype="int32")
    inputs = [tokens]
    if spec.ngrams:
        inputs.append(keras.Input(batch_shape=(batch, time, spec.ngrams - 1), dtype="int32"))
    layer = LinearNetwork(spec, batch, random_seed)
    return Network(spec, keras.Model(inputs, layer(*inputs)), layer.named, layer.states)


def _gated(spec: NetworkSpec, batch: int, time: int, random_seed: int) -> Network:
    tokens = keras.Input(batch_shape=(batch, time), dtype="int32")
    embedding = keras.layers.Embedding(spec.vocabulary, spec.embedding)
    recurrent = [
        _GATED[spec.cell](spec.units, return_sequences=True, stateful=True) for _ in range(spec.layers)
    ]
    output = keras.layers.Dense(spec.vocabulary)
    x = embedding(tokens)
    for index, layer in enumerate(recurrent):
        x = keras.layers.Dropout(spec.dropout, seed=random_seed + index)(layer(x))
    model = keras.Model([tokens], output(x))
    variables = {"embedding": embedding.embeddings}
    for index, layer in enumerate(recurrent):
        variables[f"layer{index}.kernel"] = layer.cell.kernel
        variables[f"layer{index}.recurrent_kernel"] = layer.cell.recurrent_kernel
        variables[f"layer{index}.bias"] = layer.cell.bias
    variables |= {"output.kernel": output.kernel, "output.bias": output.bias}
    states = [state for layer in recurrent for state in keras.tree.flatten(layer.states)]
    return Network(spec, model, variables, states)


def _copy(variable: keras.Variable) -> npt.NDArray[Any]:
    return np.array(keras.ops.convert_to_numpy(variable))
