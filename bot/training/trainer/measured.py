"""Measures a training on this host: how long it takes, how it ends, how fast it is."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bot.infra.watching.metrics import Metrics, Result
from bot.training.trainer.process import Stop, TrainingEnd

_STOPPED = {Stop.CANCEL: Result.CANCELLED, Stop.SHUTDOWN: Result.INTERRUPTED}


class Measured:
    """A training that is measured.

    Args:
        metrics: of this process.
        on_event: receives each event of the trainer after it was looked at.

    Attributes:
        end: how it ended; None as long as it runs, or if an exception ended it.
    """

    def __init__(self, metrics: Metrics, on_event: Callable[[dict[str, Any]], None]) -> None:
        self._metrics, self._on_event = metrics, on_event
        self.end: TrainingEnd | None = None

    def take(self, event: dict[str, Any]) -> None:
        """Look at an event of the trainer, and pass it on."""
        if event["event"] == "progress":
            self._metrics.training_speed.set(event.get("tokens_per_s") or 0.0)
        self._on_event(event)

    @property
    def result(self) -> Result:
        """How it ended, for the metric of jobs."""
        if self.end is None or self.end.error is not None:
            return Result.FAILED
        return Result.DONE if self.end.stopped is None else _STOPPED.get(self.end.stopped, Result.DONE)


@contextmanager
def measured(metrics: Metrics, on_event: Callable[[dict[str, Any]], None]) -> Iterator[Measured]:
    """Measure the block as a training; whoever runs it records its end."""
    training, begun = Measured(metrics, on_event), time.monotonic()
    try:
        yield training
    finally:
        metrics.training_speed.set(0.0)
        metrics.job_seconds.labels(training.result.value).observe(time.monotonic() - begun)
