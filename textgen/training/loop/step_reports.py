"""Progress events while a training takes steps."""

from __future__ import annotations

import time

from textgen.training.loop.clock import Clock, Pace
from textgen.training.reporting.events import EventSink

_EVERY_S = 1.0


class StepReports:
    """Emits a ``progress`` event about once a second.

    Args:
        emit: receives the events.
        clock: the training's time limit.
        total: number of steps in all epochs.
        tokens: number of tokens that a step reads.
    """

    def __init__(self, emit: EventSink, clock: Clock, *, total: int, tokens: int) -> None:
        """Start before the first step."""
        self._emit, self._clock, self._total, self._tokens = emit, clock, total, tokens
        self._reported_at = time.monotonic()
        self.begin()

    def begin(self) -> None:
        """Forget how long the steps took: the training starts again."""
        self._pace = Pace()
        self._unreported = 0

    def step(self) -> None:
        """Count a step that is done."""
        self._unreported += 1
        self._pace.step()

    def due(self) -> bool:
        """Return whether it is time for the next event."""
        return time.monotonic() - self._reported_at >= _EVERY_S

    def emit(self, loss: float, step: int, fraction: float) -> None:
        """Emit an event.

        Args:
            loss: mean training loss since the last event, in nats per token.
            step: number of steps that are done.
            fraction: share of the training that is done, 0 to 1.
        """
        since, self._reported_at = self._reported_at, time.monotonic()
        steps, self._unreported = self._unreported, 0
        # The time limit is known from the start, the duration of a step only after some of them.
        left = [self._clock.left_s, self._pace.left_s(self._total - step)]
        known = [seconds for seconds in left if seconds is not None]
        self._emit(
            {
                "event": "progress",
                "fraction": round(fraction, 4),
                "loss": round(loss, 4),
                "eta_s": round(min(known), 1) if known else None,
                "step": step,
                "elapsed_s": round(self._clock.elapsed_s, 1),
                "tokens_per_s": round(steps * self._tokens / max(self._reported_at - since, 1e-3), 1),
            }
        )
