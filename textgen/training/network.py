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

from textgen.kneser_ney import KneserNey
from textgen.spec import NetworkSpec
from textgen.training.gated import GatedNetwork
from textgen.training.linear import LinearNetwork

Integers = npt.NDArray[np.int32]
Batch = tuple[list[Any], Integers]
"""A step's inputs and targets."""


@dataclass(frozen=True, slots=True)
class Network:
    """A Keras model from tokens (batch, time) to logits (batch, time, vocabulary), not yet compiled.

    Attributes:
        spec: what was built.
        model: the model; the number of texts and of time steps is built in.
        variables: the trained ones under their names.
        states: those that carry the recurrent state.
        masks: number of dropout masks that the model takes as an input.
        counted: the n-grams whose expectation the model takes as an input.
    """

    spec: NetworkSpec
    model: keras.Model
    variables: dict[str, keras.Variable]
    states: list[keras.Variable]
    masks: int = 0
    counted: KneserNey | None = None

    @property
    def before(self) -> int:
        """How many tokens before a window its first position looks back at."""
        return self.counted.before if self.counted is not None else 0

    def arrange(self, windows: Integers, random: np.random.Generator | None = None) -> Batch:
        """Return the model's inputs and targets.

        Args:
            windows: tokens, shape (batch, before + time + 1).
            random: for training: draws dropout's masks where they are an input, and no position counts for
                itself; without it nothing is dropped and all is counted.
        """
        tokens, targets = windows[:, self.before : -1], windows[:, self.before + 1 :]
        inputs: list[Any] = [tokens]
        if self.counted is not None:
            inputs.append(self._expected(self.counted, windows, leave_one_out=random is not None))
        if self.masks:
            shape, dropout = (len(windows), self.masks, self.spec.units), self.spec.dropout
            kept = random.random(shape, np.float32) >= dropout if random else np.full(shape, 1 - dropout)
            inputs.append((kept / (1 - dropout)).astype(np.float32))
        return inputs, targets

    def _expected(
        self, counted: KneserNey, windows: Integers, *, leave_one_out: bool
    ) -> npt.NDArray[np.float32]:
        if leave_one_out:
            return counted.leave_one_out(windows)
        contexts = np.lib.stride_tricks.sliding_window_view(windows[:, 1:-1], self.before, axis=1)
        flat = contexts.reshape(-1, self.before)
        return counted.probabilities(flat).reshape(*contexts.shape[:2], self.spec.vocabulary)

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
            variable.assign(keras.ops.zeros(variable.shape, variable.dtype))


def build(
    spec: NetworkSpec,
    batch: int,
    time: int,
    random_seed: int,
    counted: KneserNey | None = None,
    products: str = "float32",
) -> Network:
    """Return a network with first weights.

    Args:
        spec: what to build.
        batch: number of texts side by side, fixed because each has a carried state.
        time: tokens of a window.
        random_seed: decides first weights and dropout.
        counted: n-grams up to the length that the spec's prior says.
        products: in what the matrix products of the cell ``linear`` are computed, "float32" or "bfloat16".
    """
    keras.utils.set_random_seed(random_seed)
    if spec.cell != "linear":
        gated = GatedNetwork(spec, batch, random_seed)
        tokens = keras.Input(batch_shape=(batch, time), dtype="int32")
        model = keras.Model([tokens], gated(tokens))
        return Network(spec, model, gated.named, gated.states)
    layer = LinearNetwork(spec, batch, random_seed, products)
    masks = layer.dropouts if spec.dropout else 0
    inputs = [keras.Input(batch_shape=(batch, time), dtype="int32")]
    if spec.prior:
        inputs.append(keras.Input(batch_shape=(batch, time, spec.vocabulary), dtype="float32"))
    if masks:
        inputs.append(keras.Input(batch_shape=(batch, masks, spec.units), dtype="float32"))
    model = keras.Model(inputs, layer(inputs))
    return Network(spec, model, layer.named, layer.states, masks, counted)


def _copy(variable: keras.Variable) -> npt.NDArray[Any]:
    return np.array(keras.ops.convert_to_numpy(variable))
