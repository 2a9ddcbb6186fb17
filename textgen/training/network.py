"""The network as a Keras model, and its weights under the names of `NetworkSpec.shapes`.

Only `keras` is used, so every backend trains it. The recurrent layers are stateful: their state
lives in variables that one batch leaves to the next.
"""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt

from textgen.spec import NetworkSpec

_LAYERS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def build(spec: NetworkSpec, batch: int, random_seed: int) -> keras.Model:
    """Return an uncompiled model from tokens (batch, time) to logits (batch, time, vocabulary).

    Args:
        spec: what to build.
        batch: number of texts side by side, fixed because each has a carried state.
        random_seed: decides first weights and dropout.
    """
    keras.utils.set_random_seed(random_seed)
    layers = [
        keras.Input(batch_shape=(batch, None), dtype="int32"),
        keras.layers.Embedding(spec.vocabulary, spec.embedding, name="embedding"),
    ]
    for index in range(spec.layers):
        recurrent = _LAYERS[spec.cell]
        layers.append(recurrent(spec.units, return_sequences=True, stateful=True, name=f"layer{index}"))
        layers.append(keras.layers.Dropout(spec.dropout, seed=random_seed + index, name=f"dropout{index}"))
    layers.append(keras.layers.Dense(spec.vocabulary, name="output"))
    return keras.Sequential(layers, name="network")


def named_variables(model: keras.Model, spec: NetworkSpec) -> dict[str, keras.Variable]:
    """Return the trained variables under the names of `NetworkSpec.shapes`."""
    variables = {"embedding": model.get_layer("embedding").embeddings}
    for index in range(spec.layers):
        cell = model.get_layer(f"layer{index}").cell
        variables[f"layer{index}.kernel"] = cell.kernel
        variables[f"layer{index}.recurrent_kernel"] = cell.recurrent_kernel
        variables[f"layer{index}.bias"] = cell.bias
    output = model.get_layer("output")
    variables["output.kernel"], variables["output.bias"] = output.kernel, output.bias
    return variables


def weights(model: keras.Model, spec: NetworkSpec) -> dict[str, npt.NDArray[np.float32]]:
    """Return copies of the trained weights."""
    return {
        name: np.array(keras.ops.convert_to_numpy(variable), np.float32)
        for name, variable in named_variables(model, spec).items()
    }


def set_weights(model: keras.Model, spec: NetworkSpec, values: dict[str, npt.NDArray[np.float32]]) -> None:
    """Put weights into the model."""
    for name, variable in named_variables(model, spec).items():
        variable.assign(values[name])


def state_variables(model: keras.Model, spec: NetworkSpec) -> list[keras.Variable]:
    """Return the variables that carry the recurrent state from batch to batch."""
    layers = (model.get_layer(f"layer{index}") for index in range(spec.layers))
    return [state for layer in layers for state in keras.tree.flatten(layer.states)]


def reset_state(model: keras.Model, spec: NetworkSpec) -> None:
    """Forget what was read."""
    for variable in state_variables(model, spec):
        variable.assign(keras.ops.zeros_like(variable))
