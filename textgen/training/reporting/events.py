"""What a training tells while it runs: small JSON objects, each with the key ``event``.

==============  =====================================================================================
``started``     ``device``, ``resumed``, ``characters``, ``vocabulary``, ``parameters``, ``notes``;
                ``damage`` of the checkpoint if it goes on from the ``previous`` one, or ``anew``
``progress``    ``fraction`` (0 to 1), ``loss`` (nats per token), ``eta_s``, ``step``, ``elapsed_s``;
                ``eta_s`` is None until there is enough to go by
``sample``      ``text``, ``temperature``, ``fraction``
``checkpoint``  ``step``, ``seconds``, ``validation_loss``, ``training_loss``; ``picture`` if drawn
``finished``    ``bundle``, ``validation_loss``, ``bits_per_token``, ``perplexity``, ``stopped``, ``steps``;
                ``picture`` if drawn, ``device_mb`` (largest memory taken on a GPU)
``failed``      ``error``; ``reason`` is ``memory`` where that was too small, ``disk`` where that was full
==============  =====================================================================================

Numbers that are not finite are None. ``started`` comes a second time where a training diverged and begins
again with smaller steps.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from typing import IO, Any

from textgen.errors import TextgenError

Event = dict[str, Any]
EventSink = Callable[[Event], None]


def json_lines(target: IO[str]) -> EventSink:
    """Return a sink that writes each event as a line of ASCII, which every stream can take."""

    def write(event: Event) -> None:
        target.write(json.dumps(finite(event), allow_nan=False) + "\n")
        target.flush()

    return write


def finite(data: Any) -> Any:
    """Return JSON data with None for numbers that JSON does not know: NaN and the infinite ones."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {name: finite(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    return data


class Control:
    """What somebody outside a training wishes of it: nothing, to finish early, or to stop.

    Attributes:
        give_up: ends the process with an error, from another thread, where the training cannot end by
            itself; None where it must not.
        interactive: whether a person may interrupt at any moment, so that even what there is before the first
            step is worth a checkpoint. A program counts those instead.
    """

    def __init__(self) -> None:
        """Begin with no wish."""
        self.give_up: Callable[[TextgenError], None] | None = None
        self.interactive = False
        self._finish = threading.Event()
        self._cancel = threading.Event()
        self._under_way = threading.Event()

    def begin(self) -> None:
        """Note that a step has been taken: from now on there is something that a stop has to keep."""
        self._under_way.set()

    @property
    def under_way(self) -> bool:
        """Whether a step has been taken."""
        return self._under_way.is_set()

    def finish(self) -> None:
        """Ask for the best model so far as the result."""
        self._finish.set()

    def cancel(self) -> None:
        """Ask for a stop that keeps the checkpoint."""
        self._cancel.set()

    @property
    def finish_requested(self) -> bool:
        """Whether the training should end early."""
        return self._finish.is_set()

    @property
    def cancelled(self) -> bool:
        """Whether the training should stop."""
        return self._cancel.is_set()

    def obey(self, source: IO[str]) -> None:
        """Read commands from a stream in the background; its end means that whoever asked is gone.

        The commands are ``finish`` and ``cancel``, a line each.
        """

        def read() -> None:
            for line in source:
                if line.strip() == "finish":
                    self.finish()
                elif line.strip() == "cancel":
                    self.cancel()
            # Who asked for the end of the training does not take it back by going away.
            if not self.finish_requested:
                self.cancel()

        threading.Thread(target=read, name="control", daemon=True).start()
