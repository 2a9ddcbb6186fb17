"""Fine-tuning: continues another model with its network and vocabulary on a new corpus."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.bundle import Bundle, Weights
from textgen.errors import SettingsError
from textgen.levels import WORD
from textgen.network.spec import NetworkSpec
from textgen.settings.presets import PRESETS
from textgen.settings.training import TrainingSettings


def settings_of(base: Bundle, flags: Mapping[str, Any]) -> TrainingSettings:
    """Return the settings of a training that continues a model.

    The network is the model's. The preset and the flags decide how it is trained.

    Args:
        base: the model to continue.
        flags: see `TrainingSettings.from_flags`.

    Raises:
        SettingsError: a flag asks for another network, or is outside its bounds.
    """
    assert isinstance(base.spec, NetworkSpec)  # noqa: S101 -- a fine-tuned base has settings of its own
    spec, given = base.spec, {name: value for name, value in flags.items() if value is not None}
    network = {
        "cell": spec.cell,
        "level": base.tokenizer.level,
        "embedding_size": spec.embedding,
        "rnn_size": spec.units,
        "num_layers": spec.layers,
        "expansion": spec.expansion,
        "prior": spec.prior,
        "experts": spec.experts,
        "pristine_input": not getattr(base.tokenizer, "lowercase", False),
        "pristine_output": getattr(base.tokenizer, "pristine_output", False),
    }
    if given.pop("word_tokens", False):
        given.setdefault("level", WORD.name)
    for name, value in network.items():
        if given.get(name, value) != value:
            raise SettingsError(
                f"{name} is {given[name]!r} and the base has {value!r}; "
                "a model that goes on keeps its network: leave the flag out"
            )
    if {"vocabulary_size", "vocab_size"} & given.keys():
        raise SettingsError("vocab_size cannot be given with a base: its vocabulary is kept and extended")
    trained_with = base.manifest.settings.get("preset")
    preset = given.pop("preset", trained_with if trained_with in PRESETS else None)
    settings = TrainingSettings.from_flags(preset, **{**given, **network})
    return dataclasses.replace(settings, base=fingerprint(base))


def fingerprint(base: Bundle) -> str:
    """Return the SHA-256 of a model's weights, which identifies it as a base."""
    digest = hashlib.sha256()
    for name in sorted(base.weights):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(base.weights[name]).tobytes())
    return digest.hexdigest()


def grown(first: Weights, base: Weights) -> dict[str, npt.NDArray[np.float32]]:
    """Return a base's weights for a vocabulary that may have grown.

    Args:
        first: initial weights of the new network, for the new tokens and for what the base does not have.
        base: the base's weights. Its tokens come first in the new vocabulary.
    """
    result = {name: array.copy() for name, array in first.items()}
    for name, array in base.items():
        place = tuple(map(slice, array.shape))
        # The axis of the vocabulary grows. A large vocabulary is not fed the counts, and has shorter n-grams
        # (`Sizes.feeds_prior`, `order_for`): what does not fit any more begins anew.
        if name in result and result[name][place].shape == array.shape:
            result[name][place] = array
    added = len(result["output.bias"]) - len(base["output.bias"])
    if added:
        # New tokens start with the probability of the least likely known one.
        result["output.bias"][-added:] = base["output.bias"].min()
    return result
