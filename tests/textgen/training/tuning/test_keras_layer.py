"""Llama in Keras against the reference in NumPy."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from tests.support.textgen import bases, llama_reference
from textgen.pretrained.spec import KERNELS


@pytest.mark.parametrize("tied", [True, False])
def test_logits_and_losses_equal_those_of_the_reference(keras: ModuleType, tied: bool) -> None:
    from textgen.pretrained.llama.keras_layer import AdaptedLlama

    spec = bases.spec(tied=tied)
    weights = bases.weights(spec)
    draw = np.random.default_rng(3)
    adapters, merged = {}, dict(weights)
    for name, shape in spec.shapes().items():
        if name.rpartition(".")[2] in KERNELS:
            adapters[f"{name}.down"] = down = draw.normal(0, 0.2, (shape[1], 4)).astype(np.float32)
            adapters[f"{name}.up"] = up = draw.normal(0, 0.2, (4, shape[0])).astype(np.float32)
            merged[name] = weights[name] + (down @ up).T
    layer = AdaptedLlama(spec, weights.__getitem__, adapters)
    tokens = draw.integers(0, spec.vocabulary, (2, 21))

    hidden = layer.hidden(keras.ops.convert_to_tensor(tokens[:, :-1], "int32"))
    found = np.array(keras.ops.convert_to_numpy(layer.logits(hidden)))
    losses = layer([keras.ops.convert_to_tensor(part, "int32") for part in (tokens[:, :-1], tokens[:, 1:])])

    for row, text in enumerate(tokens):
        expected = llama_reference.logits(spec, merged, text[:-1].tolist())
        assert np.abs(found[row] - expected).max() < 1e-4
        log_sums = np.log(np.exp(expected - expected.max(-1, keepdims=True)).sum(-1)) + expected.max(-1)
        nats = log_sums - expected[np.arange(20), text[1:]]
        assert np.abs(np.array(keras.ops.convert_to_numpy(losses))[row] - nats).max() < 1e-4
    for name, value in layer.adapters().items():
        assert np.abs(value - adapters[name]).max() < 1e-7
