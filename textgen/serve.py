r"""A sampling process: JSON requests in, JSON answers out, a line each.

The process that starts it never imports NumPy. Requests for one model are written together
(`textgen.engine`), so answers may come in another order than their requests.

A request, its answer, and the answer to one that cannot be met::

    {"id": "1", "bundle": "/path", "seed": "To be", "settings": {"length": 500, "random_seed": 7}}
    {"id": "1", "text": "…", "seed": "To be", "random_seed": 7, "characters": 500}
    {"id": "1", "error": {"type": "BundleError", "message": "…"}}

The end of the input ends the process.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from textgen.engine import Engine, Request
from textgen.errors import SettingsError, TextgenError
from textgen.model import TextModel
from textgen.sampling import SamplingSettings

CACHED_PARAMETERS = 8_000_000
"""So many parameters (64 MB) are kept in memory; the model that was unused the longest leaves first."""

_SETTINGS = {"length", "temperature", "random_seed"}


@dataclass(slots=True, eq=False)
class _Loaded:
    model: TextModel
    engine: Engine
    running: dict[Request, tuple[str, str]] = field(default_factory=dict)


class Server:
    """Answers requests; `handle` takes one, `advance` writes one token of each."""

    def __init__(self, answer: Callable[[dict[str, Any]], None]) -> None:
        """Send every answer to ``answer``."""
        self._answer = answer
        self._loaded: OrderedDict[str, _Loaded] = OrderedDict()

    @property
    def idle(self) -> bool:
        """Whether no text is being written."""
        return all(loaded.engine.idle for loaded in self._loaded.values())

    def handle(self, line: str) -> None:
        """Begin a request; whatever is wrong with it becomes its answer."""
        identity: Any = None
        try:
            request = _parse(line)
            identity = request["id"]
            loaded = self._load(request["bundle"])
            job, seed = loaded.model.request(request["seed"], _settings(request["settings"]))
            loaded.running[job] = (identity, seed)
            loaded.engine.submit(job)
        except TextgenError as error:
            self._answer({"id": identity, "error": {"type": type(error).__name__, "message": str(error)}})

    def advance(self) -> None:
        """Write one token of every text and answer those that are complete."""
        for loaded in self._loaded.values():
            for job in loaded.engine.step():
                identity, seed = loaded.running.pop(job)
                text = loaded.model.text_of(job)
                self._answer(
                    {
                        "id": identity,
                        "text": text,
                        "seed": seed,
                        "random_seed": job.settings.random_seed,
                        "characters": len(text),
                    }
                )

    def _load(self, path: str) -> _Loaded:
        loaded = self._loaded.get(path)
        if loaded is None:
            model = TextModel.load(Path(path))
            loaded = self._loaded[path] = _Loaded(model, model.engine())
            self._evict(keep=path)
        self._loaded.move_to_end(path)
        return loaded

    def _evict(self, keep: str) -> None:
        for path in list(self._loaded):
            held = sum(loaded.model.spec.parameters for loaded in self._loaded.values())
            if held <= CACHED_PARAMETERS:
                return
            if path != keep and self._loaded[path].engine.idle:
                del self._loaded[path]


def serve(source: IO[str], target: IO[str]) -> None:
    """Answer the requests of ``source`` on ``target`` until ``source`` ends."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in source:
            lines.put(line)
        lines.put(None)

    def answer(data: dict[str, Any]) -> None:
        target.write(json.dumps(data) + "\n")
        target.flush()

    threading.Thread(target=read, name="requests", daemon=True).start()
    server = Server(answer)
    answer({"ready": True})
    while True:
        try:
            while True:
                line = lines.get(block=server.idle)
                if line is None:
                    return
                server.handle(line)
        except queue.Empty:
            server.advance()


def main() -> None:
    """Serve on standard input and output."""
    try:
        serve(sys.stdin, sys.stdout)
    except (BrokenPipeError, KeyboardInterrupt):
        # Whoever asked is gone; there is nobody left to tell.
        return


def _parse(line: str) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        raise SettingsError("the request is not valid JSON") from None
    if not isinstance(request, dict):
        raise SettingsError("the request is not a JSON object")
    kinds = {"id": str, "bundle": str, "seed": str, "settings": dict}
    for name, kind in kinds.items():
        if not isinstance(request.get(name), kind):
            raise SettingsError(f"the request needs {name!r} as {kind.__name__}")
    return request


def _settings(data: dict[str, Any]) -> SamplingSettings:
    unknown = sorted(set(data) - _SETTINGS)
    if unknown:
        raise SettingsError(f"there is no setting {unknown[0]!r}; there are {', '.join(sorted(_SETTINGS))}")
    return SamplingSettings(**data)
