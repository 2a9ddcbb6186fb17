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

from textgen.experts.kneser_ney import KneserNey
from textgen.network.cells.keras_layers import KERAS_LAYERS
from textgen.network.spec import NetworkSpec

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
        fresh_starts: share of the windows that training reads as if nothing had been before them; unless it
            is 0, the model takes as an input which texts go on.
        counted: the n-grams whose expectation the model takes as an input.
    """

    spec: NetworkSpec
    model: keras.Model
    variables: dict[str, keras.Variable]
    states: list[keras.Variable]
    masks: int = 0
    fresh_starts: float = 0.0
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
        goes_on = np.ones(len(windows), bool)
        if random is not None and self.fresh_starts:
            goes_on = random.random(len(windows)) >= self.fresh_starts
        inputs: list[Any] = [tokens]
        if self.counted is not None and random is None:
            inputs.append(self._expected(self.counted, windows))
        elif self.counted is not None:
            # Of a window that is read from nothing, the n-grams see nothing before it either.
            seen = None
            if not goes_on.all():
                seen = np.where(goes_on[:, None], self.before, 1 + np.arange(tokens.shape[1]))
            inputs.append(self.counted.leave_one_out(windows, seen))
        if self.masks:
            shape, dropout = (len(windows), self.masks, self.spec.units), self.spec.dropout
            kept = random.random(shape, np.float32) >= dropout if random else np.full(shape, 1 - dropout)
            inputs.append((kept / (1 - dropout)).astype(np.float32))
        if self.fresh_starts:
            inputs.append(goes_on[:, None].astype(np.float32))
        return inputs, targets

    def _expected(self, counted: KneserNey, windows: Integers) -> npt.NDArray[np.float32]:
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
    fresh_starts: float = 0.0,
) -> Network:
    """Return a network with first weights.

    Args:
        spec: what to build.
        batch: number of texts side by side, fixed because each has a carried state.
        time: tokens of a window.
        random_seed: decides first weights and dropout.
        counted: n-grams up to the length that the spec's prior says.
        products: in what the matrix products of the cell ``linear`` are computed, "float32" or "bfloat16".
        fresh_starts: see `Network`.
    """
    keras.utils.set_random_seed(random_seed)
    inputs = [keras.Input(batch_shape=(batch, time), dtype="int32")]
    layer = KERAS_LAYERS[spec.cell](spec, batch, random_seed, products)
    if spec.prior:
        inputs.append(keras.Input(batch_shape=(batch, time, spec.vocabulary), dtype="float32"))
    if layer.masks:
        inputs.append(keras.Input(batch_shape=(batch, layer.masks, spec.units), dtype="float32"))
    if fresh_starts:
        inputs.append(keras.Input(batch_shape=(batch, 1), dtype="float32"))
    model = keras.Model(inputs, layer(inputs))
    return Network(spec, model, layer.named, layer.states, layer.masks, fresh_starts, counted)


def _copy(variable: keras.Variable) -> npt.NDArray[Any]:
    return np.array(keras.ops.convert_to_numpy(variable))
