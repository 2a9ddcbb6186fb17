"""The settings of a fine-tuning: what a user may choose, and what follows from the base."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textgen.errors import SettingsError
from textgen.files.bases import LLAMA
from textgen.pretrained.base import Base
from textgen.settings.presets import TUNED
from textgen.settings.training import TrainingSettings, by_attribute

RECIPE: dict[str, Any] = {
    "rank": 8,
    "dropout": 0.0,
    "optimizer": "adamw",
    "learning_rate": 1e-3,
    "schedule": "cosine",
    "batch_size": 1,
    "seq_length": 256,
    "num_epochs": 4,
    "checkpoint_s": 30.0,
}

_CHOSEN = {
    *("learning_rate", "batch_size", "seq_length", "num_epochs", "time_limit", "patience", "schedule"),
    *("optimizer", "validation_split", "random_seed", "keep_seeds", "no_seeds", "checkpoint_s"),
    "checkpoint_seconds",
}
"""The flags that a fine-tuning takes. All others describe a network from nothing."""


def settings_of(base: Base, flags: Mapping[str, Any]) -> TrainingSettings:
    """Return the settings of a fine-tuning.

    Args:
        base: the base.
        flags: see `TrainingSettings.from_flags`. A value of None is not given.

    Raises:
        SettingsError: a flag asks for another network than the base's, or is outside its bounds.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    if given.get("level") == base.tokenizer.level:
        del given["level"]
    # What a base does anyway.
    for name, value in {"word_tokens": False, "pristine_input": True, "pristine_output": False}.items():
        if given.get(name) is value:
            del given[name]
    refused = sorted(given.keys() - _CHOSEN)
    if refused:
        raise SettingsError(
            f"{refused[0]} is {given[refused[0]]!r}, but the base {base.about.name} brings its network and "
            "its tokens with it: leave the flag out"
        )
    recipe = {**RECIPE, **by_attribute(given)}
    return TrainingSettings(
        preset=TUNED,
        level=base.tokenizer.level,
        pristine_input=True,
        cell=LLAMA,
        embedding_size=base.spec.width,
        rnn_size=base.spec.width,
        num_layers=base.spec.layers,
        seq_step=recipe["seq_length"],
        base=base.sha256,
        **recipe,
    )
