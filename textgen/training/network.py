"""The network as a Keras model, its weights under the names of `NetworkSpec.shapes`, and its carried state.

Only `keras` is used, so every backend can train it. The recurrent state is kept in variables from one batch
to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from textgen.experts.expert import Expected, Expert
from textgen.network.cells.keras_layers import KERAS_LAYERS, KerasNetwork
from textgen.network.spec import NetworkSpec
from textgen.training.plan import Batch, Integers, Weights


@dataclass(frozen=True, slots=True)
class Network:
    """A Keras model from tokens (batch, time) to logits (batch, time, vocabulary), not yet compiled.

    Attributes:
        spec: shape of the network.
        model: the Keras model, for a fixed batch size and window.
        layer: the only layer of the model; it holds the trained variables and those of the recurrent state.
        fresh_starts: share of the windows that start with an empty state in training. Unless it is 0, an
            input of the model says which windows keep their state.
        experts: the counted models whose probabilities are inputs of the model.
    """

    spec: NetworkSpec
    model: keras.Model
    layer: KerasNetwork
    fresh_starts: float = 0.0
    experts: Sequence[Expert] = ()

    @property
    def before(self) -> int:
        """Number of tokens before a window that its first position needs as context."""
        return max((expert.before for expert in self.experts), default=0)

    def arrange(self, windows: Integers, random: np.random.Generator | None = None) -> Batch:
        """Return the model's inputs and targets.

        Args:
            windows: tokens, shape (batch, before + time + 1).
            random: for training: draws dropout masks, and the experts leave the position itself out
                (leave-one-out). None for validation: no dropout, and all counts.
        """
        tokens, targets = windows[:, self.before : -1], windows[:, self.before + 1 :]
        goes_on = np.ones(len(windows), bool)
        if random is not None and self.fresh_starts:
            goes_on = random.random(len(windows)) >= self.fresh_starts
        inputs: list[Any] = [tokens]
        # In a window that starts with an empty state, the experts have no earlier context either.
        seen = None
        if not goes_on.all():
            seen = np.where(goes_on[:, None], self.before, 1 + np.arange(tokens.shape[1]))
        expected = [
            self._expected(expert, windows, seen, training=random is not None) for expert in self.experts
        ]
        inputs += [each.probabilities for each in expected]
        if self.spec.confidences:
            inputs.append(np.concatenate([each.confidences for each in expected], axis=-1))
        if self.layer.masks:
            shape, dropout = (len(windows), self.layer.masks, self.spec.units), self.spec.dropout
            kept = random.random(shape, np.float32) >= dropout if random else np.full(shape, 1 - dropout)
            inputs.append((kept / (1 - dropout)).astype(np.float32))
        if self.fresh_starts:
            inputs.append(goes_on[:, None].astype(np.float32))
        return inputs, targets

    def _expected(
        self, expert: Expert, windows: Integers, seen: npt.NDArray[np.int64] | None, *, training: bool
    ) -> Expected:
        windows = windows[:, self.before - expert.before :]
        return expert.leave_one_out(windows, seen) if training else expert.expect(windows[:, 1:-1])

    def weights(self) -> Weights:
        """Return copies of the trained weights: of their averages, where the optimizer has some."""
        optimizer = self.model.optimizer if self.model.compiled else None
        if optimizer is None or not optimizer.use_ema or not int(optimizer.iterations):
            return self._latest()
        variables = self.model.trainable_variables
        latest = [_copy(variable) for variable in variables]
        optimizer.finalize_variable_values(variables)
        averages = self._latest()
        for variable, value in zip(variables, latest, strict=True):
            variable.assign(value)
        return averages

    def _latest(self) -> Weights:
        return {name: _copy(variable).astype(np.float32) for name, variable in self.layer.named.items()}

    def set_weights(self, values: Weights) -> None:
        """Set the trained weights, by name."""
        for name, variable in self.layer.named.items():
            variable.assign(values[name])

    def checkpointed(self) -> list[keras.Variable]:
        """Return weights, dropout's random state, carried states and the optimizer's state in fixed order."""
        model = self.model
        return [*model.trainable_variables, *model.non_trainable_variables, *model.optimizer.variables]

    def reset_state(self) -> None:
        """Set the recurrent state to zero."""
        for variable in self.layer.states:
            variable.assign(keras.ops.zeros(variable.shape, variable.dtype))


def build(
    spec: NetworkSpec,
    batch: int,
    time: int,
    random_seed: int,
    experts: Sequence[Expert] = (),
    products: str = "float32",
    fresh_starts: float = 0.0,
) -> Network:
    """Return a network with initial weights.

    Args:
        spec: shape of the network.
        batch: number of strips side by side, fixed because each has a carried state.
        time: tokens of a window.
        random_seed: decides the initial weights and dropout.
        experts: the counted models that the spec names.
        products: type for the matrix products of the cell ``linear``: "float32" or "bfloat16".
        fresh_starts: see `Network`.
    """
    keras.utils.set_random_seed(random_seed)
    inputs = [keras.Input(batch_shape=(batch, time), dtype="int32")]
    layer = KERAS_LAYERS[spec.cell](spec, batch, random_seed, products)
    shapes = [(batch, time, spec.vocabulary)] * len(spec.mixed)
    if spec.confidences:
        shapes.append((batch, time, spec.confidences))
    inputs += [keras.Input(batch_shape=shape, dtype="float32") for shape in shapes]
    if layer.masks:
        inputs.append(keras.Input(batch_shape=(batch, layer.masks, spec.units), dtype="float32"))
    if fresh_starts:
        inputs.append(keras.Input(batch_shape=(batch, 1), dtype="float32"))
    model = keras.Model(inputs, layer(inputs))
    return Network(spec, model, layer, fresh_starts, experts)


def _copy(variable: keras.Variable) -> npt.NDArray[Any]:
    return np.array(keras.ops.convert_to_numpy(variable))
