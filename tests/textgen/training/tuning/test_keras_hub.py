"""Llama as KerasHub has it, an implementation by others, computes what ours do in training and serving."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.textgen import bases
from textgen.pretrained import store
from textgen.pretrained.base import Base
from textgen.pretrained.llama import make_stepper
from textgen.pretrained.spec import LlamaSpec

TOKENS = 40
TRAINED = 1e-4
# Serving rounds what a layer reads to 16 bits; logits lie between -6 and 6 here.
SERVED = 5e-3


@pytest.fixture(params=[True, False], ids=["tied", "untied"])
def base(request: pytest.FixtureRequest) -> Base:
    name = "tied" if request.param else "untied"
    if all(entry.name != name for entry in store.entries()):
        bases.add(name, bases.spec(tied=request.param))
    return store.find(name)


def theirs(base: Base) -> Any:
    """KerasHub's network with a base's weights: kernels are (inputs, heads, size) there."""
    import keras_hub as hub  # `make setup` brings it, so this is never skipped; it loads Keras

    spec: LlamaSpec = base.spec
    network = hub.models.LlamaBackbone(
        vocabulary_size=spec.vocabulary,
        num_layers=spec.layers,
        num_query_heads=spec.heads,
        num_key_value_heads=spec.key_value_heads,
        hidden_dim=spec.width,
        intermediate_dim=spec.inner,
        rope_max_wavelength=spec.rope_base,
        layer_norm_epsilon=spec.rms_epsilon,
        tie_word_embeddings=spec.tied,
    )
    given = {
        "token_embedding/embeddings": base.float_weights("embedding"),
        "sequence_output_layernorm/scale": base.float_weights("norm"),
    }
    if not spec.tied:
        given["token_embedding/reverse_embeddings"] = base.float_weights("output").T
    for number in range(spec.layers):
        layer, inside = f"layer{number}.", f"transformer_layer_{number}/"
        for part, place in {
            "query": "self_attention/query/kernel",
            "key": "self_attention/key/kernel",
            "value": "self_attention/value/kernel",
            "attention_output": "self_attention/attention_output/kernel",
            "attention_norm": "self_attention_layernorm/scale",
            "gate": "feedforward_gate_dense/kernel",
            "up": "feedforward_intermediate_dense/kernel",
            "down": "feedforward_output_dense/kernel",
            "mlp_norm": "feedforward_layernorm/scale",
        }.items():
            given[inside + place] = base.float_weights(layer + part).T
    for variable in network.weights:
        variable.assign(given.pop(variable.path).reshape(variable.shape))
    assert not given
    return network


def logits_of(network: Any, tokens: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    hidden = network({"token_ids": tokens, "padding_mask": np.ones_like(tokens)})
    return np.asarray(network.token_embedding(hidden, reverse=True), np.float64)


def test_their_logits_are_ours(keras: ModuleType, base: Base) -> None:
    from textgen.pretrained.llama.keras_layer import AdaptedLlama

    tokens = np.random.default_rng(5).integers(3, base.spec.vocabulary, (2, TOKENS)).astype(np.intp)
    tokens[:, 0] = base.tokenizer.start  # which the stepper reads by itself before every text
    expected = logits_of(theirs(base), tokens)
    assert 2 < np.abs(expected).max() < 12

    zeros = {
        f"{name}.{side}": np.zeros((shape[1], 2) if side == "down" else (2, shape[0]), np.float32)
        for name, shape in base.spec.shapes().items()
        if name.startswith("layer") and len(shape) == 2
        for side in ("down", "up")
    }
    ours = AdaptedLlama(base.spec, base.float_weights, zeros)
    trained = ours.logits(ours.hidden(keras.ops.convert_to_tensor(tokens, "int32")))
    assert np.abs(np.asarray(keras.ops.convert_to_numpy(trained)) - expected).max() < TRAINED

    stepper = make_stepper(base)
    served = stepper.logits(stepper.features(tokens[:, 1:], stepper.initial_state(len(tokens))))
    told = np.isfinite(served)  # a special token is never written
    assert (~told).sum() == len(tokens) * (TOKENS - 1) * len(bases.SPECIAL)
    assert np.abs(served - expected[:, 1:])[told].max() < SERVED
