"""One step of a base in NumPy. `llama.c` computes the same, and tests compare the two."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt

from textgen.inference.numerics import Float32, Float64
from textgen.inference.stepper import State
from textgen.pretrained.adapter import Adapter
from textgen.pretrained.base import Base
from textgen.pretrained.llama.arithmetic import exponential, folded, normalize, product, quantize, silu
from textgen.pretrained.llama.changes import Changes
from textgen.pretrained.llama.context import BLOCK, Context, rotations

_Numbers = npt.NDArray[np.intp]


class LlamaStepper:
    """Writes with a base, and with a fine-tuned change of it.

    The state is one array of contexts, shape (batch,). Every text begins with the base's start token. A
    context knows its adapter, so texts of several adapters of one base can be one batch, whichever of their
    steppers writes them.
    """

    def __init__(self, base: Base, adapter: Adapter | None = None) -> None:
        """Take the weights.

        Args:
            base: the base.
            adapter: a change of it, or None.

        Raises:
            BundleError: the adapter does not fit the base.
        """
        self.spec = base.spec
        self.changes = Changes(adapter, self.spec)
        self._matrices, self._norms = base.weights, base.norms
        self._output = base.weights["embedding" if base.spec.tied else "output"]
        self._start = base.tokenizer.start
        self._special = sorted(base.tokenizer.special)

    def initial_state(self, batch: int) -> State:
        """Return the state of ``batch`` texts before their first token, as if the start token was read."""
        contexts = np.empty(batch, object)
        contexts.fill(self._begun)
        return [contexts]

    @cached_property
    def _begun(self) -> Context:
        empty = np.empty(1, object)
        empty[0] = Context(self.spec, self.changes)
        if self._start is not None:
            self.features(np.array([[self._start]]), [empty])
        context: Context = empty[0]
        return context

    def step(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed one token to each text; see `textgen.inference.stepper.Stepper.step`."""
        return self.logits(self.features(tokens[:, None], state)[:, 0])

    def features(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed several tokens to each text, shape (batch, time); see `Stepper.features`.

        Raises:
            IndexError: a token lies outside the vocabulary.
        """
        if tokens.size and not 0 <= tokens.min() <= tokens.max() < self.spec.vocabulary:
            raise IndexError(f"the tokens lie outside the vocabulary of {self.spec.vocabulary}")
        contexts, (batch, time) = state[0], tokens.shape
        found = np.empty((batch, time, self.spec.width))
        done = 0
        while done < time and batch:
            count = min(time - done, *(context.room for context in contexts))
            for row in range(batch):
                contexts[row] = contexts[row].grown(count)
            piece = np.ascontiguousarray(tokens[:, done : done + count], np.intp).reshape(-1)
            hidden = self._hidden(piece, [context for context in contexts for _ in range(count)], count)
            found[:, done : done + count] = hidden.reshape(batch, count, -1)
            done += count
        return found

    def logits(self, features: Float64) -> Float64:
        """Return logits, shape (..., vocabulary), of features; special tokens have -inf."""
        rows = np.ascontiguousarray(features).reshape(-1, self.spec.width)
        found = self._logits(rows).reshape(*features.shape[:-1], self.spec.vocabulary)
        found[..., self._special] = -np.inf
        return found

    def _logits(self, rows: Float64) -> Float64:
        return product(*quantize(rows), self._output)

    def _hidden(self, tokens: _Numbers, contexts: list[Context], count: int) -> Float64:
        """Return the input of the output layer for some tokens whose contexts have a place for them.

        Args:
            tokens: shape (tokens,), ``count`` after one another of each text.
            contexts: the context of each token.
            count: number of tokens of each text.
        """
        spec = self.spec
        places, changed = places_of(contexts, count), _by_adapter(contexts)
        cosine, sine = (turn.astype(np.float64) for turn in rotations(places, spec))
        embedding = self._matrices["embedding"]
        x = embedding.rows[tokens].astype(np.float64) * embedding.scales[tokens, None].astype(np.float64)
        for n in range(spec.layers):
            name = f"layer{n}."
            y = normalize(x, self._norms[name + "attention_norm"], spec.rms_epsilon)
            query, key, value = self._outputs(y, changed, name, "query", "key", "value")
            query = _turned(query, cosine, sine, spec.heads) / math.sqrt(spec.head)
            key = _turned(key, cosine, sine, spec.key_value_heads)
            value = value.reshape(key.shape)
            for token, context in enumerate(contexts):
                place, last = places[token] % BLOCK, context.blocks[-1]
                last.keys[n, :, :, place] = key[token]
                last.values[n, :, place] = value[token]
            visible = visible_of(contexts, count)
            y = np.stack(
                [
                    _attended(context, n, one, seen)
                    for context, one, seen in zip(contexts, query.astype(np.float32), visible, strict=True)
                ]
            )
            x += self._outputs(y, changed, name, "attention_output")[0]
            y = normalize(x, self._norms[name + "mlp_norm"], spec.rms_epsilon)
            gate, up = self._outputs(y, changed, name, "gate", "up")
            x += self._outputs(silu(gate) * up, changed, name, "down")[0]
        return normalize(x, self._norms["norm"], spec.rms_epsilon)

    def _outputs(
        self, x: Float64, changed: Mapping[Changes, list[int]], layer: str, *kernels: str
    ) -> list[Float64]:
        """Return the outputs of some kernels of a layer for the same input.

        Args:
            x: the input, shape (rows, inputs).
            changed: the rows of each adapter.
            layer: beginning of the layer's names.
            kernels: names of kernels in the layer.
        """
        quantized = quantize(x)
        found = []
        for kernel in kernels:
            y = product(*quantized, self._matrices[layer + kernel])
            for changes, rows in changed.items():
                if (change := changes.adapter.get(layer + kernel)) is not None:
                    # `accumulate` adds in order, as compiled code does.
                    inner = np.add.accumulate(x[rows, :, None] * change.down.astype(np.float64), axis=1)
                    outer = inner[:, -1, :, None] * change.up.astype(np.float64)
                    y[rows] += np.add.accumulate(outer, axis=1)[:, -1]
            found.append(y)
        return found


def _by_adapter(contexts: list[Context]) -> dict[Changes, list[int]]:
    """Return which of the contexts have which adapter."""
    found: dict[Changes, list[int]] = {}
    for row, context in enumerate(contexts):
        found.setdefault(context.changes, []).append(row)
    return found


def places_of(contexts: list[Context], count: int) -> _Numbers:
    """Return the position of each token in its text; see `LlamaStepper._hidden`."""
    return np.array([c.length - count + token % count for token, c in enumerate(contexts)], np.intp)


def visible_of(contexts: list[Context], count: int) -> list[int]:
    """Return how many tokens of its context each token sees, itself included."""
    return [
        (len(context.blocks) - 1) * BLOCK + (context.length - count) % BLOCK + token % count + 1
        for token, context in enumerate(contexts)
    ]


def _turned(x: Float64, cosine: Float64, sine: Float64, heads: int) -> Float64:
    """Return vectors of heads turned by their positions (RoPE), shape (tokens, heads, head size)."""
    left, right = np.split(x.reshape(len(x), heads, -1), 2, axis=2)
    c, s = cosine[:, None], sine[:, None]
    return np.concatenate([left * c - right * s, right * c + left * s], axis=2)


def _attended(context: Context, layer: int, query: Float32, visible: int) -> Float64:
    """Return what one token reads from those before it, shape (width,).

    Args:
        context: its context.
        layer: number of the layer.
        query: its query, scaled, shape (heads, head size).
        visible: number of tokens that it sees.
    """
    keys = np.stack([block.keys[layer] for block in context.blocks])
    values = np.stack([block.values[layer] for block in context.blocks])
    blocks, groups, head, _ = keys.shape
    grouped = query.reshape(groups, -1, head, 1)
    scores = folded(grouped * keys[:, :, None], 3).astype(np.float64)  # (blocks, groups, queries, BLOCK)
    seen = (np.arange(blocks * BLOCK) < visible).reshape(blocks, 1, 1, BLOCK)
    peaks = np.where(seen, scores, -np.inf).max(axis=(0, 3), keepdims=True)
    weights = np.where(seen, exponential(scores - peaks), 0.0)
    parts = folded(weights.astype(np.float32)[..., None] * values[:, :, None], 3)
    totals = np.add.accumulate(folded(weights, 3), axis=0)[-1]
    read: Float64 = np.add.accumulate(parts, axis=0)[-1].astype(np.float64) / totals[..., None]
    return read.reshape(-1)
