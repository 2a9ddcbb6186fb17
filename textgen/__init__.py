"""Textgen: train a small language model on your own texts, and write in their style.

    import textgen

    textgen.train("shakespeare", output="model", time_limit=60)
    model = textgen.load("model")
    print(model.generate("To be", length=200, temperature=0.7, random_seed=7))

Importing this loads neither NumPy nor Keras; each is loaded when it is first needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from textgen.errors import (
    BundleError,
    CorpusError,
    SettingsError,
    TextgenError,
    TrainingError,
    TrainingInterruptedError,
)

if TYPE_CHECKING:
    from textgen.model import TextModel
    from textgen.training.run import train

__all__ = [
    "BundleError",
    "CorpusError",
    "SettingsError",
    "TextgenError",
    "TrainingError",
    "TrainingInterruptedError",
    "load",
    "train",
]

__version__ = "0.1.0"


def load(path: str | Path) -> TextModel:
    """Load a trained model from its bundle.

    Raises:
        BundleError: it is absent, damaged, hostile, or of a newer format.
    """
    from textgen.model import TextModel

    return TextModel.load(path)


def __getattr__(name: str) -> Any:
    # `textgen.train` is reached lazily because its module graph ends in Keras.
    if name == "train":
        from textgen.training.run import train

        return train
    raise AttributeError(f"module 'textgen' has no attribute {name!r}")
