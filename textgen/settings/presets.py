"""The presets of a training: the size of the network and the recipe that each name stands for.

How the numbers were found is written in benchmarks/README.md. Nothing here checks what a user gives
(`textgen.settings.training` does).
"""

from __future__ import annotations

from typing import Any

from textgen.errors import SettingsError
from textgen.network.cells.registry import CELLS, DEFAULT_CELL

DEFAULT_PRESET = "small"

_SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"rnn_size": 64, "num_layers": 2},
    "small": {"rnn_size": 128, "num_layers": 2},
    "medium": {"rnn_size": 256, "num_layers": 2, "dropout": 0.2},
    "large": {"rnn_size": 384, "num_layers": 3, "dropout": 0.2},
}

# keras-text-generation's own recipe (train.py and model.py of mattdangerw/keras-text-generation).
_CLASSIC: dict[str, Any] = {
    "cell": "lstm",
    "embedding_size": 64,
    "rnn_size": 128,
    "num_layers": 2,
    "dropout": 0.2,
    "optimizer": "rmsprop",
    "learning_rate": 1e-3,
    "schedule": "constant",
    "batch_size": 32,
    "seq_length": 50,
    "seq_step": 25,
    "num_epochs": 50,
}

PRESETS = ("classic", *_SIZES)

TUNED = "tuned"
"""In place of a preset: how a pretrained base is fine-tuned."""


def cell_of(preset: str) -> str:
    """Return the cell that a preset has if the user names none."""
    return _CLASSIC["cell"] if preset == "classic" else DEFAULT_CELL


def recipe(preset: str, cell: str, level: str) -> dict[str, Any]:
    """Return the settings that a preset stands for.

    Args:
        preset: one of `PRESETS`.
        cell: one of `textgen.network.cells.registry.CELLS`.
        level: one of `textgen.levels.LEVELS`.

    Returns:
        Values of `textgen.settings.training.TrainingSettings` by name, "cell" among them.

    Raises:
        SettingsError: the preset has no recipe for the cell.
    """
    kind = CELLS[cell]
    if preset != "classic":
        changes = {**kind.recipes_by_preset.get(preset, {}), **kind.recipes_by_level.get(level, {})}
        return {**kind.recipe, **_SIZES[preset], **changes, "cell": cell}
    if kind.suits_classic:
        return {**_CLASSIC, "cell": cell}
    suitable = " or ".join(name for name, other in CELLS.items() if other.suits_classic)
    raise SettingsError(f"the preset classic has no cell {cell}; choose {suitable}, or another preset")
