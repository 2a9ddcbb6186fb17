"""Llama's network written from the papers, in 64-bit floats, without a cache: what our steps are held to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from textgen.pretrained.spec import LlamaSpec

Floats = npt.NDArray[np.float64]


def logits(spec: LlamaSpec, weights: Mapping[str, npt.NDArray[np.floating]], tokens: list[int]) -> Floats:
    """Return the logits after each token, shape (tokens, vocabulary)."""
    w = {name: array.astype(np.float64) for name, array in weights.items()}
    time, head = len(tokens), spec.width // spec.heads
    angles = np.outer(np.arange(time), spec.frequencies())
    turn = np.exp(1j * angles)[:, None]  # (time, 1, head / 2)

    def norm(x: Floats, scale: Floats) -> Floats:
        return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + spec.rms_epsilon) * scale

    def heads(x: Floats, count: int) -> Floats:
        return x.reshape(time, count, head)

    def turned(x: Floats) -> Floats:
        pairs = (x[..., : head // 2] + 1j * x[..., head // 2 :]) * turn
        return np.concatenate([pairs.real, pairs.imag], axis=-1)

    x = w["embedding"][tokens]
    for n in range(spec.layers):
        layer = {part: w[f"layer{n}.{part}"] for part in _PARTS}
        y = norm(x, layer["attention_norm"])
        query = turned(heads(y @ layer["query"].T, spec.heads))
        key = turned(heads(y @ layer["key"].T, spec.key_value_heads))
        value = heads(y @ layer["value"].T, spec.key_value_heads)
        shared = spec.heads // spec.key_value_heads
        key, value = np.repeat(key, shared, axis=1), np.repeat(value, shared, axis=1)
        scores = np.einsum("qhd,khd->hqk", query, key) / np.sqrt(head)
        scores = np.where(np.tri(time, dtype=bool), scores, -np.inf)
        attention = np.exp(scores - scores.max(axis=-1, keepdims=True))
        attention /= attention.sum(axis=-1, keepdims=True)
        x = x + np.einsum("hqk,khd->qhd", attention, value).reshape(time, -1) @ layer["attention_output"].T
        y = norm(x, layer["mlp_norm"])
        gate = y @ layer["gate"].T
        x = x + (gate / (1 + np.exp(-gate)) * (y @ layer["up"].T)) @ layer["down"].T
    found: Floats = norm(x, w["norm"]) @ w["embedding" if spec.tied else "output"].T
    return found


_PARTS = (
    *("attention_norm", "query", "key", "value", "attention_output", "mlp_norm"),
    *("gate", "up", "down"),
)
