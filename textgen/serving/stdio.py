r"""A sampling process: JSON requests in, JSON answers out, a line each.

The process that starts it never imports NumPy. Requests for one model are written together
(`textgen.sampling.engine`), so answers may come in another order than their requests.

A request, its answer, and the answer to one that cannot be met::

    {"id": "1", "bundle": "/path", "seed": "To be", "settings": {"length": 500, "random_seed": 7}}
    {"id": "1", "text": "…", "seed": "To be", "random_seed": 7, "characters": 500, "ended": "length",
     "unseen": [], "training": "time limit"}
    {"id": "1", "error": {"type": "SettingsError", "message": "…"}}

Where its message was put together, an error has its ``line`` and ``values`` besides, so that it can be
said in another language.

The settings are the fields of `textgen.sampling.SamplingSettings`. ``unseen`` names what of the seed the
model has never seen; where there is any, ``folded`` tells what of it was written in another form, and
``never_written`` which stop texts the model cannot write. With a ``count`` above 1 the
answer describes the first text and has besides the lists ``texts``, ``seeds`` and ``random_seeds``
of all of them. With ``"stream": true`` beside the settings the text comes first in pieces as well,
``{"id": "1", "piece": "…"}``; for one text only. With ``"corpus": "/path", "longest_copy": 50`` the
answer has ``copied``, for each of the texts the characters of the longest run that it shares with that
corpus, or 0 if it has no more than allowed (`textgen.evaluation.copies`); ``training`` tells
what ended the model's training. A request whose asker has left is dropped, and
gets no answer, by::

    {"op": "cancel", "id": "1"}

A request can name whose turn it takes, ``"server": "…"``: models take turns by time, so that one whose tokens
take long holds up nobody else's for longer than its share. With ``"measure": true`` the answer has
``load_s``, what loading the model took, and ``step_s``, what one step of its texts takes at the moment.
``{"op": "ping", "id": "1"}`` is answered by ``{"id": "1", "pong": true}`` as soon as the texts allow.

The end of the input ends the process.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any

from textgen.errors import SettingsError, TextgenError
from textgen.evaluation.copies import CopyIndices
from textgen.model import Sample, TextModel
from textgen.sampling import SamplingSettings
from textgen.sampling.engine import Engine
from textgen.sampling.request import Request
from textgen.serving.loading import Loader

CACHED_BYTES = 256 << 20
"""So much memory is kept for models; the one that was unused the longest leaves first."""

TOKENS_IN_A_ROW = 8
"""So many tokens one model writes before the next does: by then its matrices are in the processor's cache."""

SLICE_S = 0.005
"""After so long it is another one's turn, however few tokens that were."""

TAKEN_AT_ONCE = 8
"""So many requests are begun before texts are written on."""

_WAIT_S = 0.02


@dataclass(slots=True, eq=False)
class _Job:
    """What somebody asked for: one text or several of one model."""

    identity: str
    requests: list[Request]
    stream: bool
    training: str
    corpus: str | None = None
    longest_copy: int = 0
    measure: bool = False

    @property
    def complete(self) -> bool:
        return all(request.ended is not None for request in self.requests)

    def answer(self) -> dict[str, Any]:
        samples = [Sample.of(request) for request in self.requests]
        first = samples[0]
        told = {
            "id": self.identity,
            "text": first.text,
            "seed": first.seed,
            "random_seed": first.random_seed,
            "characters": len(first.text),
            "ended": first.ended,
            "unseen": list(first.unseen),
            "training": self.training,
        }
        # Most seeds and stop texts need no word.
        if first.folded:
            told["folded"] = dict(first.folded)
        if first.never_written:
            told["never_written"] = list(first.never_written)
        if len(samples) > 1:
            told["texts"] = [sample.text for sample in samples]
            told["seeds"] = [sample.seed for sample in samples]
            told["random_seeds"] = [sample.random_seed for sample in samples]
        return told


@dataclass(slots=True, eq=False)
class _Loaded:
    model: TextModel
    engine: Engine
    load_s: float
    step_s: float = 0.0
    turn: str = ""
    jobs: dict[Request, _Job] = field(default_factory=dict)


class Server:
    """Answers requests; `handle` takes one, `advance` writes a few tokens of each."""

    def __init__(self, answer: Callable[[dict[str, Any]], None]) -> None:
        """Send every answer to ``answer``."""
        self._answer = answer
        self._loaded: OrderedDict[str, _Loaded] = OrderedDict()
        self._copies = CopyIndices()
        self._loader = Loader()
        self._waiting: dict[str, list[dict[str, Any]]] = {}
        # Seconds of work for each whose turn it may be.
        self._used: dict[str, float] = {}

    @property
    def idle(self) -> bool:
        """Whether no text is being written and no model loaded."""
        return not self._waiting and all(loaded.engine.idle for loaded in self._loaded.values())

    def handle(self, line: str) -> None:
        """Begin a request; whatever is wrong with it becomes its answer."""
        identity: Any = None
        try:
            asked = _parse(line)
            identity = asked["id"]
            if asked.get("op") == "cancel":
                self._cancel(identity)
            elif asked.get("op") == "ping":
                self._answer({"id": identity, "pong": True})
            else:
                self._take(asked)
        except TextgenError as error:
            self._refuse(identity, error)

    def advance(self) -> None:
        """Write a few tokens for whoever had the least time, and answer the texts that are complete."""
        busy = [loaded for loaded in self._loaded.values() if not loaded.engine.idle]
        if self._waiting:
            self._take_loaded(0.0 if busy else _WAIT_S)
        if not busy:
            return
        loaded = min(busy, key=lambda each: self._used.get(each.turn, 0.0))
        begun = time.perf_counter()
        for _ in range(TOKENS_IN_A_ROW if len(busy) > 1 else 1):
            self._step(loaded)
            if time.perf_counter() - begun > SLICE_S or loaded.engine.idle:
                break
        self._used[loaded.turn] = self._used.get(loaded.turn, 0.0) + time.perf_counter() - begun

    def _step(self, loaded: _Loaded) -> None:
        begun = time.perf_counter()
        finished = loaded.engine.step()
        loaded.step_s += (time.perf_counter() - begun - loaded.step_s) / 16
        for request, job in loaded.jobs.items():
            if job.stream and (piece := request.take()):
                self._answer({"id": job.identity, "piece": piece})
        for request in finished:
            job = loaded.jobs.pop(request)
            if job.complete:
                measured = {"load_s": loaded.load_s, "step_s": loaded.step_s} if job.measure else {}
                self._answer(job.answer() | self._copied(job) | measured)

    def _refuse(self, identity: Any, error: TextgenError) -> None:
        told: dict[str, Any] = {"type": type(error).__name__, "message": str(error)}
        if error.values:
            told |= {"line": error.line, "values": error.values}
        self._answer({"id": identity, "error": told})

    def _copied(self, job: _Job) -> dict[str, Any]:
        if job.corpus is None:
            return {}
        texts = [request.text for request in job.requests]
        return {
            "copied": [self._copies.longest_copy(text, job.corpus, job.longest_copy) for text in texts],
        }

    def _take(self, asked: dict[str, Any]) -> None:
        """Begin a request, or let it wait until its model and the index of its corpus are in memory."""
        settings = SamplingSettings.of(asked["settings"])
        if asked.get("stream") is True and settings.count > 1:
            raise SettingsError(f"count is {settings.count}; only one text can be streamed")
        path, corpus = asked["bundle"], asked.get("corpus")
        indexed = corpus is None or self._copies.holds(corpus, asked.get("longest_copy", 0))
        if path in self._loaded and indexed:
            self._begin(asked, self._loaded[path])
            return
        self._loader.check(path)
        waiting = self._waiting.setdefault(path, [])
        waiting.append(asked)
        if len(waiting) == 1 or not indexed:
            before = None
            if corpus is not None and not indexed:
                before = partial(self._copies.longest_copy, "", corpus, asked.get("longest_copy", 0))
            known = self._loaded.get(path)
            self._loader.ask(path, before, None if known is None else known.model)

    def _take_loaded(self, wait_s: float) -> None:
        """Begin the requests whose model has been loaded."""
        for loading in self._loader.done(wait_s):
            if loading.model is not None and loading.path not in self._loaded:
                made = _Loaded(loading.model, loading.model.engine(), loading.seconds)
                self._loaded[loading.path] = made
                self._evict(keep=loading.path)
            for asked in self._waiting.pop(loading.path, ()):
                try:
                    if loading.error is not None:
                        raise loading.error
                    self._begin(asked, self._loaded[loading.path])
                except TextgenError as error:
                    self._refuse(asked["id"], error)

    def _begin(self, asked: dict[str, Any], loaded: _Loaded) -> None:
        settings = SamplingSettings.of(asked["settings"])
        self._loaded.move_to_end(asked["bundle"])
        job = _Job(
            asked["id"],
            loaded.model.requests(asked["seed"], settings),
            asked.get("stream") is True,
            loaded.model.manifest.stopped,
            asked.get("corpus"),
            asked.get("longest_copy", 0),
            asked.get("measure") is True,
        )
        self._give_turn(loaded, str(asked.get("server", asked["bundle"])))
        for request in job.requests:
            loaded.jobs[request] = job
            loaded.engine.submit(request)

    def _give_turn(self, loaded: _Loaded, turn: str) -> None:
        """Count the work on a model for somebody; who was away has saved up nothing."""
        busy = {each.turn for each in self._loaded.values() if not each.engine.idle}
        if turn not in busy:
            at_work = [self._used.get(each, 0.0) for each in busy]
            self._used = {each: self._used.get(each, 0.0) for each in busy}
            self._used[turn] = min(at_work, default=0.0)
        loaded.turn = turn

    def _cancel(self, identity: str) -> None:
        for path, waiting in list(self._waiting.items()):
            # Who waits for a model lets it be loaded: the next one may ask for it.
            self._waiting[path] = [asked for asked in waiting if asked["id"] != identity]
        for loaded in self._loaded.values():
            for request in [r for r, job in loaded.jobs.items() if job.identity == identity]:
                del loaded.jobs[request]
                loaded.engine.cancel(request)

    def _evict(self, keep: str) -> None:
        for path in list(self._loaded):
            held = sum(loaded.model.memory for loaded in self._loaded.values())
            if held <= CACHED_BYTES:
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
            for _ in range(TAKEN_AT_ONCE):
                line = lines.get(block=server.idle)
                if line is None:
                    return
                server.handle(line)
        except queue.Empty:
            pass
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
    operation = request.get("op", "sample")
    if operation not in ("sample", "cancel", "ping"):
        raise SettingsError(
            f"there is no op {str(operation)[:40]!r}; there are 'sample', 'cancel' and 'ping'"
        )
    kinds: dict[str, type] = {"id": str}
    if operation == "sample":
        kinds |= {"bundle": str, "seed": str, "settings": dict}
        if "corpus" in request:
            kinds |= {"corpus": str, "longest_copy": int}
    for name, kind in kinds.items():
        if not isinstance(request.get(name), kind):
            raise SettingsError(f"the request needs {name!r} as {kind.__name__}")
    return request
