"""Progress of a training for TensorBoard, through the small writer tensorboardX."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from textgen.errors import SettingsError
from textgen.files import atomic
from textgen.host import extras
from textgen.training.reporting.events import Event, EventSink


def scalars(folder: Path) -> EventSink:
    """Return a sink that writes training and validation loss as scalars.

    Nothing is written before the first event: a training that is refused leaves nothing.

    Raises:
        MissingPackageError: tensorboardX is not installed.
        SettingsError: the folder cannot be written.
    """
    extras.require("tensorboardX", "progress for TensorBoard")
    from tensorboardX import SummaryWriter

    above = next(path for path in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(path))
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        found = f"{above} is {atomic.kind_of(above)}" if not above.is_dir() else f"{above} is read-only"
        raise SettingsError(
            f"the folder {folder} for TensorBoard cannot be written: {found}; name another one"
        )
    opened: list[Any] = []

    def write(event: Event) -> None:
        if not opened:
            opened.append(SummaryWriter(str(folder)))
        writer = opened[0]
        if event["event"] == "progress":
            writer.add_scalar("loss/training", event["loss"], event["step"])
        elif event["event"] == "checkpoint":
            writer.add_scalar("loss/validation", event["validation_loss"], event["step"])
        elif event["event"] == "sample":
            writer.add_text(f"sample at temperature {event['temperature']}", event["text"])
        elif event["event"] in {"finished", "failed"}:
            writer.close()

    return write
