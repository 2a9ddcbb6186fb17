"""What a person sees of a training on a terminal, and what a log file gets instead."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from textgen.training.reporting.events import Event, ProgressEvent, StartedEvent
from textgen.training.result import NO_TIME

_LINE_EVERY = 0.1


class _Console(Console):
    """Draws with ASCII alone where standard error shows no more."""

    @property
    def encoding(self) -> str:
        return str(getattr(sys.stderr, "shows", super().encoding))


class Display:
    """Shows the events of a training on standard error: a bar on a terminal, a line each tenth elsewhere."""

    def __init__(self, *, show_samples: bool) -> None:
        """Prepare; nothing is shown before the block is entered."""
        self._console = _Console(stderr=True, highlight=False)
        self._show_samples = show_samples
        self._line_at = 0.0
        self._validation = ""
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Display:
        """Begin to show."""
        self._bar.start()
        self._task = self._bar.add_task("starting", total=1.0, figures="loading Keras")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._bar.stop()

    def read(self, count: int) -> None:
        """Show how many bytes of the corpus were read."""
        if self._task is not None:
            self._bar.update(self._task, description="reading", figures=f"{count / 1e6:,.0f} MB")

    def show(self, event: Event) -> None:
        """Show one event."""
        if event["event"] == "started":
            self._started(event)
        elif event["event"] == "progress":
            self._progress(event)
        elif event["event"] == "checkpoint":
            self._validation = f" · validation {event['validation_loss']:.3f}"
        elif event["event"] == "finished" and event["stopped"] == NO_TIME:
            self._console.print("note: there was no time for a step: these are the counts alone")
        elif event["event"] == "sample" and self._show_samples:
            self._console.print(Text(f"── temperature {event['temperature']} ──", style="cyan"))
            self._console.print(Text(event["text"]))

    def _started(self, event: StartedEvent) -> None:
        verb = "resumed" if event["resumed"] else "training"
        self._console.print(
            f"{verb} on {event['device']}: {event['characters']:,} characters, "
            f"{event['vocabulary']:,} symbols, {event['parameters']:,} parameters"
        )
        for note in event["notes"]:
            # The terminal wraps it; a log file keeps it on one line.
            self._console.print(Text(f"note: {note}"), soft_wrap=True)

    def _progress(self, event: ProgressEvent) -> None:
        figures = f"loss {event['loss']:.3f}{self._validation}"
        if event["eta_s"] is not None:
            figures += f" · {event['eta_s']:.0f} s left"
        if self._task is not None:
            self._bar.update(self._task, description="training", completed=event["fraction"], figures=figures)
        if not self._console.is_terminal and event["fraction"] >= self._line_at:
            self._line_at = event["fraction"] + _LINE_EVERY
            self._console.print(f"{event['fraction']:.0%} · {figures}")
