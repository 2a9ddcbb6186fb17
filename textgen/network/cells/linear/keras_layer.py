"""The cell ``linear`` in Keras: an element-wise gated linear recurrence in residual blocks.

The recurrence is minGRU (Feng et al. 2024, "Were RNNs All We Needed?"): h_t = a_t h_(t-1) + (1 - a_t) v_t.
The recurrence gate a and the value v depend only on the input, so the recurrence is linear in h and all
steps can be computed in parallel. The block around it is that of Griffin (De et al. 2024): RMSNorm, then
temporal mixing (a short causal convolution before the recurrence, an output gate after it), then a gated
multilayer perceptron. The output corrects what counted models expect
(`textgen.experts`). ``numpy_step.py`` computes the same for serving.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any

import keras
import numpy as np
from keras import ops

from textgen.network.cells.cell import Sizes
from textgen.network.cells.linear import Linear
from textgen.network.cells.linear.numpy_step import CONVOLUTION


def scan(a: Any, b: Any, h_before: Any) -> Any:
    """Return h_t = a_t h_(t-1) + b_t for all t: a parallel scan in log2(time) passes.

    Args:
        a: shape (batch, time, units), between 0 and 1.
        b: same shape.
        h_before: the state before the first step, shape (batch, units).

    Returns:
        Shape (batch, time, units).
    """
    time = b.shape[1]
    b = ops.concatenate([b[:, :1] + a[:, :1] * h_before[:, None], b[:, 1:]], axis=1)
    distance = 1
    while distance < time:
        # After this pass each position holds the sum over the last 2 × distance positions.
        b = b + a * _delayed(b, distance)
        distance *= 2
        if distance < time:
            a = a * _delayed(a, distance // 2)
    return b


def _delayed(x: Any, distance: int) -> Any:
    return ops.pad(x[:, :-distance], [[0, 0], [distance, 0], [0, 0]])


def _rms_norm(x: Any, scale: Any) -> Any:
    return x * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + 1e-6) * scale


class LinearNetwork(keras.layers.Layer):  # type: ignore[misc]  # Keras is untyped
    """Tokens, what the experts expect, and dropout masks to logits.

    Inputs: tokens, shape (batch, time); the probabilities of each expert that the spec names, shape (batch,
    time, vocabulary); their confidences, shape (batch, time, confidences), if there are several; masks,
    shape (batch, `masks`, units), unless it has no dropout; and optionally, shape (batch, 1), which texts
    continue (1) and which begin anew (0). The output has shape (batch, time, vocabulary). The state is kept
    in variables from one call to the next.

    A mask is the same at all positions of a window (Gal and Ghahramani 2016) and is an input: random
    numbers inside the graph took XLA 20 s to compile, four times as long as everything else.

    Args:
        spec: what to build.
        batch: number of texts side by side.
        random_seed: decides the initial weights.
        products: the type that the factors of matrix products are rounded to. "bfloat16" is mixed
            precision: weights, states, gates, the recurrence and the logits stay in 32 bits. Near 1,
            bfloat16 has steps of 1/256, which is too coarse for a gate to remember hundreds of tokens.
    """

    def __init__(self, spec: Sizes, batch: int, random_seed: int, products: str = "float32") -> None:
        """Create every weight under its name in `Cell.shapes`."""
        super().__init__(name="network")
        self._spec = spec
        self._products = products
        self._random_seed = random_seed
        self._shapes = Linear().shapes(spec)
        self.named = {name: self._weight(name, shape) for name, shape in self._shapes.items()}
        zeros = {"initializer": "zeros", "trainable": False}
        # The input, and what each half of a block adds.
        places = 1 + spec.layers * (2 if spec.expansion else 1)
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
        expected = [others.pop(0) for _ in spec.mixed]
        confidences = others.pop(0) if spec.confidences else None
        masks = iter(ops.split(others.pop(0), self.masks, axis=1)) if self.masks else repeat(1.0)
        goes_on = others.pop() if others else None
        x = ops.take(weight["embedding"], tokens, axis=0)  # (batch, time, units)
        if spec.feeds_prior:
            for name, probabilities in zip(spec.mixed, expected, strict=True):
                x = x + self._product(probabilities, weight[f"{name}.input"])
        if confidences is not None:
            x = x + self._product(confidences, weight["confidence.input"])
        x = x * next(masks)
        for layer in range(spec.layers):
            x = x + self._temporal_mixing(layer, x, goes_on) * next(masks)
            if spec.expansion:
                x = x + self._gated_mlp(layer, x) * next(masks)
        x = _rms_norm(x, weight["norm"])
        logits = self._product(x, weight["output.kernel"]) + weight["output.bias"]
        if not expected:
            return logits
        # Gates at each position weight the experts' log probabilities.
        gates = ops.matmul(x, weight["prior.gate"]) + weight["prior.bias"]  # (batch, time, experts)
        if confidences is not None:
            gates = gates + ops.matmul(confidences, weight["confidence.gate"])
        for place, probabilities in enumerate(expected):
            logits = logits + ops.log(probabilities) * gates[..., place : place + 1]
        return logits

    def _temporal_mixing(self, layer: int, x: Any, goes_on: Any) -> Any:
        weight = {name: self.named[f"layer{layer}.{name}"] for name in _TEMPORAL_MIXING}
        units, time = self._spec.units, x.shape[1]
        z = self._product(_rms_norm(x, weight["norm"]), weight["input"])  # (batch, time, 3 units)
        value, forget, gate = z[..., :units], z[..., units : 2 * units], z[..., 2 * units :]
        h_state, value_state = self.states[2 * layer], self.states[2 * layer + 1]
        # A copy, because torch assigns in place and needs the previous state for the gradients.
        h_before, values_before = ops.copy(h_state), value_state
        if goes_on is not None:
            h_before, values_before = h_before * goes_on, values_before * goes_on[:, :, None]
        padded = ops.concatenate([values_before, value], axis=1)
        value_state.assign(padded[:, -(CONVOLUTION - 1) :])
        v = sum(padded[:, back : back + time] * weight["convolution"][back] for back in range(CONVOLUTION))
        a = ops.sigmoid(forget + weight["forget_bias"])  # (batch, time, units), as v and h
        h = scan(a, (1 - a) * v, h_before)
        h_state.assign(h[:, -1])
        return self._product(h * ops.silu(gate), weight["output"])

    def _gated_mlp(self, layer: int, x: Any) -> Any:
        scale, inner, outer = (self.named[f"layer{layer}.mlp_{name}"] for name in ("norm", "input", "output"))
        z = self._product(_rms_norm(x, scale), inner)
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
            return _constant(np.full(shape, 1 / shape[0]))
        if kind in {"bias", "gate"}:
            return "zeros"
        if kind == "convolution":
            # The identity: the newest input alone.
            return _constant(np.eye(CONVOLUTION)[-1][:, None].repeat(shape[1], axis=1))
        if kind == "forget_bias":
            # So that the units remember for between one token and hundreds of tokens.
            return _constant(np.linspace(-1.0, 5.0, shape[0]))
        fed = {f"{expert}.input" for expert in self._spec.mixed}
        deviation = 0.5 if name == "embedding" else 1.0 if name in fed else shape[0] ** -0.5
        if kind in {"output", "mlp_output"}:
            # Each block adds little at first, so that the residual sum does not grow with depth.
            deviation /= (2 * self._spec.layers) ** 0.5
        if name == "output.kernel" and self._spec.prior:
            # The n-grams' probabilities are a better start than random weights.
            deviation *= 0.1
        seed = self._random_seed * 1_000 + list(self._shapes).index(name)
        return keras.initializers.RandomNormal(0.0, deviation, seed=seed)


_TEMPORAL_MIXING = ("norm", "input", "convolution", "forget_bias", "output")


def _constant(values: Any) -> Any:
    return lambda shape, dtype=None: ops.reshape(ops.convert_to_tensor(values, dtype=dtype), shape)
