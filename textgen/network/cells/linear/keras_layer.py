"""The cell ``linear`` in Keras: an element-wise gated linear recurrence in residual blocks.

The gates depend on the input alone, so that h_t = a_t h_(t-1) + (1 - a_t) v_t is linear in h and all
its steps can be computed together: minGRU (Feng et al. 2024, "Were RNNs All We Needed?"), with the
block around it as in Griffin (De et al. 2024): normalisation, a short causal convolution, an output
gate, and a gated multilayer perceptron. The output corrects what counted n-grams expect
(`textgen.experts.kneser_ney`). ``numpy_step.py`` computes the same for serving.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any

import keras
import numpy as np
from keras import ops

from textgen.network.cells.cell import Sizes
from textgen.network.cells.linear.shapes import CONVOLUTION, shapes


def scan(keep: Any, values: Any, first: Any) -> Any:
    """Return h_t = keep_t h_(t-1) + values_t for all t, by doubling: log2(time) passes over everything.

    Args:
        keep: shape (batch, time, units), between 0 and 1.
        values: same shape.
        first: the state before, shape (batch, units).

    Returns:
        Shape (batch, time, units).
    """
    time = values.shape[1]
    values = ops.concatenate([values[:, :1] + keep[:, :1] * first[:, None], values[:, 1:]], axis=1)
    distance = 1
    while distance < time:
        # After this pass each position holds the sum over the last 2 × distance positions.
        values = values + keep * _delayed(values, distance)
        distance *= 2
        if distance < time:
            keep = keep * _delayed(keep, distance // 2)
    return values


def _delayed(x: Any, distance: int) -> Any:
    return ops.pad(x[:, :-distance], [[0, 0], [distance, 0], [0, 0]])


def _normalized(x: Any, scale: Any) -> Any:
    return x * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + 1e-6) * scale


class LinearNetwork(keras.layers.Layer):  # type: ignore[misc]  # Keras is untyped
    """Tokens, the n-grams' probabilities and dropout masks to logits.

    Inputs: tokens, shape (batch, time); probabilities, shape (batch, time, vocabulary), unless the spec
    has no prior; masks, shape (batch, `masks`, units), unless it has no dropout; and perhaps, shape
    (batch, 1), which texts go on (1) and which begin anew (0). The output has shape (batch, time,
    vocabulary). The state lives in variables that one call leaves to the next.

    A mask is the same at all positions of a window (Gal and Ghahramani 2016) and comes from outside:
    random numbers inside the graph took XLA 20 s to compile, four times as long as all the rest.

    Args:
        spec: what to build.
        batch: number of texts side by side.
        random_seed: decides first weights.
        products: what the factors of matrix products are rounded to. With "bfloat16" it is mixed
            precision: weights, states, gates, the recurrence and the logits stay in 32 bits, because
            next to 1 bfloat16 has steps of 1/256, in which no gate can remember for hundreds of tokens.
    """

    def __init__(self, spec: Sizes, batch: int, random_seed: int, products: str = "float32") -> None:
        """Make every weight under its name in `Cell.shapes`."""
        super().__init__(name="network")
        self._spec = spec
        self._products = products
        self._random_seed = random_seed
        self.named = {name: self._weight(name, shape) for name, shape in shapes(spec).items()}
        zeros = {"initializer": "zeros", "trainable": False}
        places = 1 + spec.layers * (
            2 if spec.expansion else 1
        )  # the input, and what each half of a block adds
        self.masks = places if spec.dropout else 0
        self.states = []
        for layer in range(spec.layers):
            self.states.append(self.add_weight(name=f"h{layer}", shape=(batch, spec.units), **zeros))
            shape = (batch, CONVOLUTION - 1, spec.units)
            self.states.append(self.add_weight(name=f"v{layer}", shape=shape, **zeros))

    def call(self, inputs: Sequence[Any]) -> Any:
        """Return logits and move the state on."""
        spec, weight = self._spec, self.named
        tokens, *others = inputs
        expected = others.pop(0) if spec.prior else None
        masks = iter(ops.split(others.pop(0), self.masks, axis=1)) if self.masks else repeat(1.0)
        goes_on = others.pop() if others else None
        x = ops.take(weight["embedding"], tokens, axis=0)  # (batch, time, units)
        if spec.feeds_prior:
            x = x + self._product(expected, weight["prior.input"])
        x = x * next(masks)
        for layer in range(spec.layers):
            x = x + self._mix_time(layer, x, goes_on) * next(masks)
            if spec.expansion:
                x = x + self._mix_channels(layer, x) * next(masks)
        x = _normalized(x, weight["norm"])
        logits = self._product(x, weight["output.kernel"]) + weight["output.bias"]
        if expected is None:
            return logits
        # How much the n-grams count is decided at each position.
        return logits + ops.log(expected) * (ops.matmul(x, weight["prior.gate"]) + weight["prior.bias"])

    def _mix_time(self, layer: int, x: Any, goes_on: Any) -> Any:
        weight = {name: self.named[f"layer{layer}.{name}"] for name in _MIX_TIME}
        units, time = self._spec.units, x.shape[1]
        z = self._product(_normalized(x, weight["norm"]), weight["input"])  # (batch, time, 3 units)
        value, forget, gate = z[..., :units], z[..., units : 2 * units], z[..., 2 * units :]
        carried, inputs = self.states[2 * layer], self.states[2 * layer + 1]
        # A copy, because torch assigns in place and needs the state before for the gradients.
        first, heard = ops.copy(carried), inputs
        if goes_on is not None:
            first, heard = first * goes_on, heard * goes_on[:, :, None]
        padded = ops.concatenate([heard, value], axis=1)
        inputs.assign(padded[:, -(CONVOLUTION - 1) :])
        filtered = sum(
            padded[:, back : back + time] * weight["convolution"][back] for back in range(CONVOLUTION)
        )
        keep = ops.sigmoid(forget + weight["forget_bias"])
        hidden = scan(keep, (1 - keep) * filtered, first)
        carried.assign(hidden[:, -1])
        return self._product(hidden * ops.silu(gate), weight["output"])

    def _mix_channels(self, layer: int, x: Any) -> Any:
        scale, inner, outer = (self.named[f"layer{layer}.mlp_{name}"] for name in ("norm", "input", "output"))
        z = self._product(_normalized(x, scale), inner)
        half = z.shape[-1] // 2
        return self._product(ops.silu(z[..., :half]) * z[..., half:], outer)

    def _product(self, x: Any, matrix: Any) -> Any:
        if self._products == "float32":
            return ops.matmul(x, matrix)
        return ops.cast(ops.matmul(*(ops.cast(factor, self._products) for factor in (x, matrix))), "float32")

    def _weight(self, name: str, shape: tuple[int, ...]) -> keras.Variable:
        return self.add_weight(
            name=name.replace(".", "_"), shape=shape, initializer=self._initializer(name, shape)
        )

    def _initializer(self, name: str, shape: tuple[int, ...]) -> Any:
        kind = name.rpartition(".")[2]
        if kind.endswith("norm"):
            return "ones"
        if name == "prior.bias":
            return "ones"
        if kind in {"bias", "gate"}:
            return "zeros"
        if kind == "convolution":
            # The identity: the newest input alone.
            return _constant(np.eye(CONVOLUTION)[-1][:, None].repeat(shape[1], axis=1))
        if kind == "forget_bias":
            # From forgetting within a character to remembering for hundreds.
            return _constant(np.linspace(-1.0, 5.0, shape[0]))
        deviation = {"embedding": 0.5, "prior.input": 1.0}.get(name, shape[0] ** -0.5)
        if kind in {"output", "mlp_output"}:
            # Each block adds little at first, so that depth does not make the sum grow.
            deviation /= (2 * self._spec.layers) ** 0.5
        if name == "output.kernel" and self._spec.prior:
            # What the n-grams expect is a better start than anything drawn.
            deviation *= 0.1
        seed = self._random_seed * 1_000 + list(shapes(self._spec)).index(name)
        return keras.initializers.RandomNormal(0.0, deviation, seed=seed)


_MIX_TIME = ("norm", "input", "convolution", "forget_bias", "output")


def _constant(values: Any) -> Any:
    return lambda shape, dtype=None: ops.reshape(ops.convert_to_tensor(values, dtype=dtype), shape)
