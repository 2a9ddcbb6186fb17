"""`textgen.train`: everything around the loop, from checking the input to the lock on the output."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textgen.errors import TrainingError
from textgen.events import Control, EventSink
from textgen.settings import TrainingSettings
from textgen.training import backend
from textgen.training.corpora import prepare
from textgen.training.lock import exclusive

if TYPE_CHECKING:
    from textgen.bundle import Manifest


def _ignore(event: dict[str, Any]) -> None:
    """Receive an event that nobody asked for."""


def train(
    corpus: str | Path,
    *,
    output: str | Path | None = None,
    on_event: EventSink = _ignore,
    resume: bool = False,
    live_sample: bool = False,
    lock_timeout: float = 0.0,
    control: Control | None = None,
    started: float | None = None,
    **flags: Any,
) -> Manifest:
    """Train a model on a corpus and write its bundle.

    Args:
        corpus: a folder with ``input.txt`` and perhaps ``validate.txt``, or a text file.
        output: the bundle's folder; by default ``model`` beside the text.
        on_event: receives the events of `textgen.events`.
        resume: go on from an interrupted training's checkpoint if there is one.
        live_sample: emit samples at four temperatures after each epoch.
        lock_timeout: seconds to wait for another training of the same bundle.
        control: lets another thread end the training.
        started: `time.monotonic` from which a time limit counts; by default now.
        **flags: the command's flags as keywords (`TrainingSettings`); None stands for the preset's value.

    Returns:
        What the bundle says of itself.

    Raises:
        CorpusError: the corpus cannot be read or is too short.
        SettingsError: a flag lies outside its bounds.
        TrainingError: the training diverged, the output is in use, or the disk refuses.
        TrainingInterruptedError: it was cancelled; the checkpoint is kept.
    """
    started = time.monotonic() if started is None else started
    settings = TrainingSettings.from_flags(**flags)
    source = Path(corpus)
    target = Path(output) if output is not None else (source if source.is_dir() else source.parent) / "model"
    prepared = prepare(source, settings)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{target.parent} cannot be made: {error.strerror}") from None
    with exclusive(target.with_name(f"{target.name}.lock"), lock_timeout):
        backend.load()
        # Keras is imported only now, when nothing but the training itself can fail any more.
        from textgen.training.trainer import Trainer

        trainer = Trainer(
            prepared,
            settings,
            target,
            on_event,
            control or Control(),
            started=started,
            live_sample=live_sample,
        )
        return trainer.run(resume=resume)
