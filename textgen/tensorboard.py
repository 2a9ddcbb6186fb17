"""Progress of a training for TensorBoard, through the small writer tensorboardX."""

from __future__ import annotations

from pathlib import Path

from textgen.errors import SettingsError
from textgen.events import Event, EventSink


def scalars(folder: Path) -> EventSink:
    """Return a sink that writes training and validation loss as scalars.

    Raises:
        SettingsError: tensorboardX is not installed.
    """
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise SettingsError(
            "the progress for TensorBoard needs the package tensorboardX: pip install 'pastiche[tensorboard]'"
        ) from None
    writer = SummaryWriter(str(folder))

    def write(event: Event) -> None:
        kind = event["event"]
        if kind == "progress":
            writer.add_scalar("loss/training", event["loss"], event["step"])
        elif kind == "checkpoint" and event["validation_loss"] is not None:
            writer.add_scalar("loss/validation", event["validation_loss"], event["step"])
        elif kind == "sample":
            writer.add_text(f"sample at temperature {event['temperature']}", event["text"])
        elif kind in {"finished", "failed"}:
            writer.close()

    return write
