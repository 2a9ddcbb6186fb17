"""The time limit of reading and preparing a corpus: a training's time limit includes them.

Between two pieces of the text the reading can end by itself. A library that learns merges cannot be
interrupted; in that case the command ends its process a moment later.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from textgen.corpus.reading.reader import BLOCK_BYTES
from textgen.errors import TextgenError, TrainingError, TrainingInterruptedError
from textgen.training.reporting.events import Control

_GRACE_S = 4.0
_LOOK_EVERY_S = 0.2


class ReadingTime:
    """The time limit of reading a corpus.

    Args:
        limit_s: time limit of the training in seconds, counted from now; None for none.
        control: lets another thread end the reading.
    """

    def __init__(self, limit_s: float | None, control: Control) -> None:
        """Start the clock."""
        self._limit_s, self._control, self._read = limit_s, control, 0
        self._until = math.inf if limit_s is None else time.monotonic() + limit_s

    def go_on(self) -> None:
        """Check that the reading may continue.

        Raises:
            TrainingError: the time is over.
            TrainingInterruptedError: the training was cancelled.
        """
        if (ended := self._ended()) is not None:
            raise ended

    def block_read(self) -> None:
        """Count a block of a file, and check that the reading may continue, as `go_on` does."""
        self._read += BLOCK_BYTES
        if self._control.on_read is not None:
            self._control.on_read(self._read)
        self.go_on()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Call `Control.give_up` if the reading is over time and does not end by itself."""
        over = threading.Event()
        if self._control.give_up is not None:
            threading.Thread(target=self._watch, args=(over,), name="reading time", daemon=True).start()
        try:
            yield
        finally:
            over.set()

    def _watch(self, over: threading.Event) -> None:
        overdue_s = 0.0
        while not over.wait(_LOOK_EVERY_S):
            ended = self._ended()
            overdue_s = 0.0 if ended is None else overdue_s + _LOOK_EVERY_S
            if ended is not None and overdue_s >= _GRACE_S and self._control.give_up is not None:
                self._control.give_up(ended)
                return

    def _ended(self) -> TextgenError | None:
        if self._control.cancelled:
            return TrainingInterruptedError("stopped while the corpus was read; nothing was written")
        if time.monotonic() > self._until:
            return TrainingError(
                f"the time limit of {self._limit_s:g} s was over before the corpus had been read; nothing "
                "was written: give more time, or less text"
            )
        return None
