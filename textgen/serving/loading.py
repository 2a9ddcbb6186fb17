"""Loads models in a thread, so that texts of others go on meanwhile; a failure is remembered for a while.

Serving asks it, so Keras must not be imported here.
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

Wish = tuple[str, Callable[[], object] | None, TextModel | None]

REMEMBERED_S = 60.0
"""A bundle that could not be loaded is not read again for so long, unless it changes."""

REMEMBERED = 100
"""So many failures are remembered."""


@dataclass(frozen=True, slots=True)
class Loading:
    """What came of a wish for a model.

    Attributes:
        path: the bundle.
        model: None where it failed.
        error: why it did.
        seconds: how long it took.
    """

    path: str
    model: TextModel | None
    error: TextgenError | None
    seconds: float


class Loader:
    """Loads one model after another in a thread of its own."""

    def __init__(self) -> None:
        """Begin with nothing to load; the thread starts with the first wish."""
        self._wishes: queue.SimpleQueue[Wish] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Loading] = queue.SimpleQueue()
        self._failures: OrderedDict[str, tuple[float, tuple[int, ...], TextgenError]] = OrderedDict()
        self._thread: threading.Thread | None = None

    def ask(
        self, path: str, before: Callable[[], object] | None = None, known: TextModel | None = None
    ) -> None:
        """Load a model; `done` gives it, or the error.

        Args:
            path: the bundle.
            before: what else takes long and is done first.
            known: the model, where only that is to be done.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="loader", daemon=True)
            self._thread.start()
        self._wishes.put((path, before, known))

    def check(self, path: str) -> None:
        """Refuse a bundle that could not be loaded a moment ago and is still the same.

        Raises:
            TextgenError: what stood against it.
        """
        known = self._failures.get(path)
        if known is None:
            return
        until, signature, error = known
        if time.monotonic() < until and signature == _signature(path):
            raise error
        self._failures.pop(path, None)

    def done(self, wait_s: float = 0.0) -> list[Loading]:
        """Return what has been loaded since the last call; wait so long for the first."""
        found: list[Loading] = []
        with suppress(queue.Empty):
            found.append(self._results.get(timeout=wait_s) if wait_s else self._results.get_nowait())
            while True:
                found.append(self._results.get_nowait())
        for loading in found:
            if loading.error is not None:
                until = time.monotonic() + REMEMBERED_S
                self._failures[loading.path] = until, _signature(loading.path), loading.error
                while len(self._failures) > REMEMBERED:
                    self._failures.popitem(last=False)
        return found

    def _work(self) -> None:
        while True:
            path, before, known = self._wishes.get()
            begun = time.monotonic()
            model = known
            error: TextgenError | None = None
            try:
                if before is not None:
                    before()
                model = model or TextModel.load(Path(path))
            except TextgenError as refusal:
                error = refusal
            except Exception as unexpected:  # noqa: BLE001 -- whoever waits must hear of it
                error = BundleError(f"{path} cannot be loaded ({type(unexpected).__name__})")
            self._results.put(Loading(path, model, error, time.monotonic() - begun))


def _signature(path: str) -> tuple[int, ...]:
    """Return what changes when a bundle is written anew."""
    try:
        return tuple(
            number
            for file in sorted(Path(path).iterdir())
            for number in (file.stat().st_mtime_ns, file.stat().st_size)
        )
    except OSError:
        return ()
