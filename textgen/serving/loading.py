"""Loads models in a thread, so that other models keep writing. Failures are remembered for a minute.

Samplers use this, so Keras must not be imported here.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from textgen.errors import BundleError, TextgenError
from textgen.model import TextModel

_Task = tuple[str, Callable[[], object] | None, TextModel | None]

REMEMBERED_S = 60.0
"""For so many seconds a bundle that failed to load is not read again, unless it changes."""

REMEMBERED = 100
"""Number of failures that are remembered."""


@dataclass(frozen=True, slots=True)
class Loading:
    """The result of loading a model.

    Attributes:
        path: the bundle's path.
        model: the model; None if loading failed.
        error: why it failed; None if it did not.
        seconds: duration of the loading.
    """

    path: str
    model: TextModel | None
    error: TextgenError | None
    seconds: float


class Loader:
    """Loads one model after another in a thread of its own."""

    def __init__(self) -> None:
        """Start without a task. The thread starts with the first one."""
        self._tasks: queue.SimpleQueue[_Task] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Loading] = queue.SimpleQueue()
        self._failures: OrderedDict[str, tuple[float, tuple[int, ...], TextgenError]] = OrderedDict()
        self._thread: threading.Thread | None = None

    def ask(
        self, path: str, before: Callable[[], object] | None = None, known: TextModel | None = None
    ) -> None:
        """Request a model; `done` returns it, or the error.

        Args:
            path: the bundle's path.
            before: another slow task that is done first; None for none.
            known: the model, if it is loaded already and only ``before`` must be done.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="loader", daemon=True)
            self._thread.start()
        self._tasks.put((path, before, known))

    def check(self, path: str) -> None:
        """Refuse a bundle that failed to load within the last minute and has not changed.

        Raises:
            TextgenError: the error of that failure.
        """
        known = self._failures.get(path)
        if known is None:
            return
        until, signature, error = known
        if time.monotonic() < until and signature == _signature(path):
            # Without the frames of earlier requests, which would be kept and grow in number.
            raise error.with_traceback(None)
        self._failures.pop(path, None)

    def done(self, wait_s: float = 0.0) -> list[Loading]:
        """Return the results since the last call, after waiting up to ``wait_s`` seconds for the first."""
        found: list[Loading] = []
        with suppress(queue.Empty):
            found.append(self._results.get(timeout=wait_s) if wait_s else self._results.get_nowait())
            while True:
                found.append(self._results.get_nowait())
        for loading in found:
            if loading.error is not None:
                until = time.monotonic() + REMEMBERED_S
                self._failures[loading.path] = until, _signature(loading.path), loading.error
                self._failures.move_to_end(loading.path)
                while len(self._failures) > REMEMBERED:
                    self._failures.popitem(last=False)
        return found

    def _work(self) -> None:
        while True:
            path, before, known = self._tasks.get()
            begun = time.monotonic()
            model = known
            error: TextgenError | None = None
            try:
                if before is not None:
                    before()
                model = model or TextModel.load(Path(path))
            except TextgenError as refusal:
                error = refusal
            except Exception as unexpected:  # noqa: BLE001 -- whoever waits for the model must get an answer
                error = BundleError(f"{path} cannot be loaded ({type(unexpected).__name__})")
            self._results.put(Loading(path, model, error, time.monotonic() - begun))


def _signature(path: str) -> tuple[int, ...]:
    """Return times and sizes of a bundle's files, which change when it is written again."""
    try:
        return tuple(
            number
            for file in sorted(Path(path).iterdir())
            for number in (file.stat().st_mtime_ns, file.stat().st_size)
        )
    except OSError:
        return ()
