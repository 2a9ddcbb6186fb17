"""Textgen: train a small language model on your own texts, and write in their style.

    import textgen

    textgen.train("shakespeare", output="model", time_limit=60)
    model = textgen.load("model")
    print(model.generate("To be", length=200, temperature=0.7, random_seed=7))

Every name in ``__all__`` is public. Importing this loads neither NumPy nor Keras: each name is imported when
it is first used.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textgen.errors import (
    BundleError,
    CorpusError,
    OutOfMemoryError,
    SettingsError,
    TextgenError,
    TrainingError,
    TrainingInterruptedError,
)

if TYPE_CHECKING:
    from textgen.bundle import Manifest as TrainingResult
    from textgen.model import TextModel
    from textgen.sampling import SamplingSettings
    from textgen.sampling.sample import Sample
    from textgen.settings.training import TrainingSettings
    from textgen.training.reporting.events import (
        CheckpointEvent,
        Control,
        Event,
        FailedEvent,
        FinishedEvent,
        ProgressEvent,
        SampleEvent,
        StartedEvent,
    )
    from textgen.training.run import train

__all__ = [
    "BundleError",
    "CheckpointEvent",
    "Control",
    "CorpusError",
    "Event",
    "FailedEvent",
    "FinishedEvent",
    "OutOfMemoryError",
    "ProgressEvent",
    "Sample",
    "SampleEvent",
    "SamplingSettings",
    "SettingsError",
    "StartedEvent",
    "TextModel",
    "TextgenError",
    "TrainingError",
    "TrainingInterruptedError",
    "TrainingResult",
    "TrainingSettings",
    "load",
    "train",
]

__version__ = "0.1.0"

# Where each name is defined that is imported on first use. Those without an entry are beside the events.
_LAZY = {
    "Sample": "textgen.sampling.sample",
    "SamplingSettings": "textgen.sampling",
    "TextModel": "textgen.model",
    "TrainingResult": "textgen.bundle",
    "TrainingSettings": "textgen.settings.training",
    "train": "textgen.training.run",
}


def load(path: str | Path) -> TextModel:
    """Load a trained model from its bundle.

    Args:
        path: the bundle's folder.

    Raises:
        BundleError: it is absent, damaged, hostile, or of a newer format.

    Example:
        >>> model = textgen.load("model")
        >>> len(model.generate("To be", length=20))
        20
    """
    from textgen.model import TextModel

    return TextModel.load(path)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'textgen' has no attribute {name!r}")
    module = importlib.import_module(_LAZY.get(name, "textgen.training.reporting.events"))
    return getattr(module, "Manifest" if name == "TrainingResult" else name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
