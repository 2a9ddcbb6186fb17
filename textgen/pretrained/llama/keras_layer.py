"""Llama's network in Keras, with a frozen base and LoRA adapters: what fine-tuning computes.

The blocks are those of Llama (Touvron et al. 2023): RMSNorm, rotary positions (Su et al. 2021), grouped
queries (Ainslie et al. 2023), and a gated MLP (SwiGLU, Shazeer 2020). The base's weights never change. Beside
each projection W stands an adapter of low rank (LoRA, Hu et al. 2021): x W + scale · (x down) up.

Only `keras` is used, so every backend can train it. Nothing but training may import this module.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from textgen.pretrained.spec import LlamaSpec

Floats = npt.NDArray[np.float32]

_LOGITS_AT_ONCE = 128 * 49_152
"""The loss is computed for so many logits at a time: all of a batch would take 100 MB, several times over."""

_MASKED = -1e9

_SCALE = 2.0
"""Factor of what the adapters add. A power of 2, so that taking it in and out rounds nothing."""

_JOINED = {
    "attention": ("query", "key", "value"),
    "attention_output": ("attention_output",),
    "mlp": ("gate", "up"),
    "down": ("down",),
}
"""Projections of the same input are one product: fewer and larger products are faster."""


class AdaptedLlama(keras.layers.Layer):  # type: ignore[misc] # Keras has no types
    """From windows of tokens to the loss of each next token.

    Args:
        spec: shape of the network.
        base: returns a frozen weight by its name in `LlamaSpec.shapes`, each matrix as (outputs, inputs).
        adapters: first values of the trained matrices, under the names of
            `textgen.pretrained.tuned.spec.TunedSpec.shapes`.
    """

    def __init__(
        self,
        spec: LlamaSpec,
        base: Callable[[str], Floats],
        adapters: Mapping[str, Floats],
    ) -> None:
        """Create every variable."""
        super().__init__(name="llama")
        self._spec = spec
        shapes = spec.shapes()
        self._outputs = {part: shapes[f"layer0.{part}"][0] for parts in _JOINED.values() for part in parts}
        self._embedding = self._variable("embedding", base("embedding"))
        self._pairs = self._stacked(adapters)
        self._blocks = [self._block(f"layer{number}", base) for number in range(spec.layers)]
        self._norm = self._variable("norm", base("norm"))
        self._output = self._embedding if spec.tied else self._variable("output", base("output"))
        self.built = True

    def _block(self, layer: str, base: Callable[[str], Floats]) -> dict[str, Any]:
        block: dict[str, Any] = {}
        for name, parts in _JOINED.items():
            kernel = np.concatenate([base(f"{layer}.{part}") for part in parts])
            block[name] = self._variable(f"{layer}.{name}", kernel.T)
        for name in ("attention_norm", "mlp_norm"):
            block[name] = self._variable(f"{layer}.{name}", base(f"{layer}.{name}"))
        return block

    def _stacked(self, adapters: Mapping[str, Floats]) -> dict[str, tuple[keras.Variable, keras.Variable]]:
        # One variable for all layers: hundreds of small ones take a minute to trace with their optimizer.
        return {
            name: (
                self._variable(f"{name}.down", self._stack(adapters, name, "down"), trainable=True),
                self._variable(f"{name}.up", self._stack(adapters, name, "up") / _SCALE, trainable=True),
            )
            for name in _JOINED
        }

    def _stack(self, adapters: Mapping[str, Floats], name: str, side: str) -> Floats:
        layers = range(self._spec.layers)
        each = [[adapters[f"layer{number}.{part}.{side}"] for part in _JOINED[name]] for number in layers]
        return np.stack([np.concatenate(matrices, axis=1) for matrices in each])

    def adapters(self) -> dict[str, Floats]:
        """Return copies of the trained matrices, named as at first."""
        found: dict[str, Floats] = {}
        for name, (down, up) in self._pairs.items():
            parts = _JOINED[name]
            ends = np.cumsum([self._outputs[part] for part in parts])[:-1]
            downs = np.split(np.array(ops.convert_to_numpy(down)), len(parts), axis=2)
            ups = np.split(np.array(ops.convert_to_numpy(up)) * np.float32(_SCALE), ends, axis=2)
            for part, first, second in zip(parts, downs, ups, strict=True):
                for number in range(self._spec.layers):
                    found[f"layer{number}.{part}.down"] = first[number]
                    found[f"layer{number}.{part}.up"] = second[number]
        return found

    def set_adapters(self, adapters: Mapping[str, Floats]) -> None:
        """Set the trained matrices; see `adapters`."""
        for name, (down, up) in self._pairs.items():
            down.assign(self._stack(adapters, name, "down"))
            up.assign(self._stack(adapters, name, "up") / _SCALE)

    def _spread(self) -> list[dict[str, tuple[Any, Any]]]:
        """Return each layer's pairs, (inputs, parts · rank) and (parts · rank, outputs).

        The second is zero where a part's rank meets another part's outputs, so one product serves all parts.
        """
        pairs = {}
        for name, (down, up) in self._pairs.items():
            parts = len(_JOINED[name])
            rank, sizes = up.shape[1], [self._outputs[part] for part in _JOINED[name]]
            own = np.repeat(np.eye(parts, dtype=np.float32), rank, 0).repeat(sizes, 1) * np.float32(_SCALE)
            spread = ops.tile(_value(up), (1, parts, 1)) * own
            pairs[name] = list(
                zip(ops.unstack(_value(down), axis=0), ops.unstack(spread, axis=0), strict=True)
            )
        return [dict(zip(pairs, each, strict=True)) for each in zip(*pairs.values(), strict=True)]

    def _variable(self, name: str, values: Floats, *, trainable: bool = False) -> keras.Variable:
        return self.add_weight(
            name=name.replace(".", "_"),
            shape=values.shape,
            initializer=lambda _shape, dtype: ops.convert_to_tensor(values, dtype),
            trainable=trainable,
        )

    def call(self, inputs: list[Any], training: bool = False) -> Any:
        """Return the loss of each position in nats, shape (batch, time).

        Args:
            inputs: tokens and the token after each, shape (batch, time) both.
            training: whether a gradient will be needed.
        """
        tokens, targets = inputs
        hidden = ops.reshape(self.hidden(tokens), (-1, self._spec.width))
        loss = self._loss(hidden, ops.reshape(targets, (-1,)), training=training)
        return ops.reshape(loss, tokens.shape)

    def hidden(self, tokens: Any) -> Any:
        """Return what the output layer reads, shape (batch, time, width)."""
        spec = self._spec
        batch, time = tokens.shape
        # Tensors, because an array would be a constant of its own in every layer, several times over.
        cosines, sines = (ops.convert_to_tensor(each) for each in rotations(spec, time))
        mask = ops.convert_to_tensor(np.triu(np.full((time, time), _MASKED, np.float32), 1))
        x = ops.take(_value(self._embedding), ops.reshape(tokens, (-1,)), axis=0)  # (batch · time, width)
        for block, adapted in zip(self._blocks, self._spread(), strict=True):
            normed = self._normed(x, block["attention_norm"])
            joint = self._projected(normed, block, adapted, "attention")
            x = x + self._projected(
                self._attended(joint, batch, time, cosines, sines, mask), block, adapted, "attention_output"
            )
            normed = self._normed(x, block["mlp_norm"])
            gate, up = ops.split(self._projected(normed, block, adapted, "mlp"), 2, axis=-1)
            x = x + self._projected(ops.silu(gate) * up, block, adapted, "down")
        return ops.reshape(self._normed(x, self._norm), (batch, time, spec.width))

    def logits(self, hidden: Any) -> Any:
        """Return the logits of what `hidden` returned, shape (batch, time, vocabulary)."""
        return ops.matmul(hidden, ops.transpose(_value(self._output)))

    def _normed(self, x: Any, weight: Any) -> Any:
        return (
            x
            * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + self._spec.rms_epsilon)
            * _value(weight)
        )

    def _projected(self, x: Any, block: dict[str, Any], adapted: dict[str, Any], name: str) -> Any:
        down, up = adapted[name]
        return ops.matmul(x, _value(block[name])) + ops.matmul(ops.matmul(x, down), up)

    def _attended(self, joint: Any, batch: int, time: int, cosines: Any, sines: Any, mask: Any) -> Any:
        spec = self._spec
        heads, shared = spec.heads, spec.key_value_heads
        size, group = spec.head, heads // shared
        joint = ops.reshape(joint, (batch, time, heads + 2 * shared, size))
        turned = joint[:, :, : heads + shared]
        half = ops.concatenate([-turned[..., size // 2 :], turned[..., : size // 2]], axis=-1)
        turned = ops.transpose(turned * cosines + half * sines, (0, 2, 1, 3))  # (batch, heads, time, size)
        queries = ops.reshape(turned[:, :heads], (batch, shared, group * time, size)) / math.sqrt(size)
        keys, values = turned[:, heads:], ops.transpose(joint[:, :, heads + shared :], (0, 2, 1, 3))
        scores = ops.matmul(queries, ops.transpose(keys, (0, 1, 3, 2)))
        scores = ops.softmax(ops.reshape(scores, (batch, shared, group, time, time)) + mask)
        found = ops.matmul(ops.reshape(scores, (batch, shared, group * time, time)), values)
        found = ops.reshape(found, (batch, heads, time, size))
        return ops.reshape(ops.transpose(found, (0, 2, 1, 3)), (batch * time, heads * size))

    def _loss(self, hidden: Any, targets: Any, *, training: bool) -> Any:
        """Return nats, shape (positions,), and have their gradient computed in the same pass.

        The output layer is frozen, so the gradient of the loss is needed for ``hidden`` only. It is computed
        here, beside the loss, and no logits are kept for a backward pass.
        """
        positions = hidden.shape[0]
        at_once = max(1, _LOGITS_AT_ONCE // self._spec.vocabulary)
        output, fixed = _value(self._output), ops.stop_gradient(hidden)
        losses, gradients = [], []
        for first in range(0, positions, at_once):
            some, wanted = fixed[first : first + at_once], targets[first : first + at_once]
            logits = ops.matmul(some, ops.transpose(output))
            probabilities = ops.softmax(logits)
            found = ops.take_along_axis(probabilities, wanted[:, None], axis=1)[:, 0]
            losses.append(-ops.log(ops.maximum(found, 1e-30)))
            if training:
                likely = ops.matmul(probabilities, output)
                gradients.append(likely - ops.take(output, wanted, axis=0))
        if not training:
            return ops.concatenate(losses)
        loss, gradient = ops.concatenate(losses), ops.stop_gradient(ops.concatenate(gradients))
        # Its value is the loss, and its gradient the one that was just computed.
        linear = ops.sum(hidden * gradient, axis=-1)
        return ops.stop_gradient(loss - linear) + linear


def _value(variable: keras.Variable) -> Any:
    """Return a variable's value as a tensor: not every operation takes a variable on JAX."""
    return ops.convert_to_tensor(variable)


def rotations(spec: LlamaSpec, time: int) -> tuple[Floats, Floats]:
    """Return the cosines and sines of the positions' angles, shape (time, 1, size of a head)."""
    angles = np.arange(time)[:, None, None] * np.array(spec.frequencies() * 2)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
