"""Answers sampling requests: texts of one model are written together, and models take turns."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from textgen.blending import blend
from textgen.errors import SettingsError, TextgenError
from textgen.evaluation.authorship.verification import code_of_sample
from textgen.evaluation.copies import CopyIndices
from textgen.model import TextModel
from textgen.sampling import Passages, SamplingSettings
from textgen.sampling.request import Request
from textgen.sampling.sample import Sample
from textgen.sampling.settings import MAXIMUM_LENGTH
from textgen.serving.batch import Batch, Loaded, together
from textgen.serving.blends import Source, key_of, memory_of, mix_of, sources_of
from textgen.serving.fair_turns import Turns
from textgen.serving.judging import Judging
from textgen.serving.loading import Loader
from textgen.serving.protocol import Job, error_answer, parse
from textgen.serving.scoring import Scoring

CACHED_BYTES = 256 << 20
"""Memory for loaded models. The least recently used one is dropped first."""

MOST_BLENDS = 32
"""Blends that are kept; they hold hardly any memory beside that of their parts."""

TOKENS_IN_A_ROW = 8
"""Tokens that a model writes before the next model's turn, so that its matrices stay in the CPU's cache."""

SLICE_S = 0.005
"""After so many seconds it is the next model's turn, however few tokens were written."""

_WAIT_S = 0.02


class Server:
    """Answers requests: `handle` accepts one, `advance` writes a few tokens.

    Args:
        answer: receives every answer of `textgen.serving.protocol`.
    """

    def __init__(self, answer: Callable[[dict[str, Any]], None]) -> None:
        """Start without a model."""
        self._answer = answer
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()
        self._copies = CopyIndices()
        self._loader = Loader()
        # Requests by the bundle that they wait for, each with the sources that it needs after that one.
        self._waiting: dict[str, list[tuple[dict[str, Any], list[Source]]]] = {}
        self._turns = Turns()

    @property
    def idle(self) -> bool:
        """Whether no text is being written and no model is being loaded."""
        return not self._waiting and all(batch.idle for batch in self._batches())

    def handle(self, line: str) -> None:
        """Accept a request. An error becomes its answer."""
        identity: Any = None
        try:
            asked = parse(line)
            identity = asked["id"]
            if asked.get("op") == "cancel":
                self._cancel(identity)
            elif asked.get("op") == "ping":
                self._answer({"id": identity, "pong": True})
            else:
                self._accept(asked)
        except TextgenError as error:
            self._answer(error_answer(identity, error))

    def advance(self) -> None:
        """Write a few tokens for the user with the least time, and answer the jobs that are complete."""
        busy = [batch for batch in self._batches() if not batch.idle]
        if self._waiting:
            self._begin_waiting(0.0 if busy else _WAIT_S)
        if not busy:
            return
        batch = min(busy, key=lambda each: self._turns.used_s(each.user))
        begun = time.perf_counter()
        for _ in range(TOKENS_IN_A_ROW if len(busy) > 1 else 1):
            self._step(batch)
            if time.perf_counter() - begun > SLICE_S or batch.idle:
                break
        self._turns.add(batch.user, time.perf_counter() - begun)

    def _batches(self) -> Iterable[Batch]:
        return dict.fromkeys(loaded.batch for loaded in self._loaded.values())

    def _step(self, batch: Batch) -> None:
        if batch.readings:
            self._read(batch)
        if batch.engine.idle:
            return
        finished = batch.step()
        now_s = time.monotonic()
        for job in batch.jobs.values():
            if job.stream and (piece := job.piece(now_s)):
                self._answer(piece)
        for request in finished:
            job = batch.jobs.pop(request)
            if job.complete:
                measured = {} if job.load_s is None else {"load_s": job.load_s, "step_s": batch.step_s}
                self._answer(job.answer() | self._copied(job) | measured)

    def _read(self, batch: Batch) -> None:
        """Read a part of one text; the texts take turns."""
        reading = batch.readings.popleft()
        try:
            for told in reading.advance():
                self._answer(told)
        except TextgenError as error:
            self._answer(error_answer(reading.identity, error))
        else:
            if not reading.over:
                batch.readings.append(reading)

    def _copied(self, job: Job) -> dict[str, Any]:
        if not job.corpora:
            return {}
        copied = [
            max(self._copies.longest_copy(request.text, corpus, job.longest_copy) for corpus in job.corpora)
            for request in job.requests
        ]
        return {"copied": copied}

    def _accept(self, asked: dict[str, Any]) -> None:
        """Begin a request, or let it wait until its models and the indices of their corpora are loaded."""
        settings = asked["settings"] = SamplingSettings.of(asked.get("settings", {}))
        if asked.get("stream") is True and settings.count > 1:
            raise SettingsError(f"count is {settings.count}; only one text can be streamed")
        self._proceed(asked, sources_of(asked))
        if "with" in asked:
            self._evict()

    def _proceed(self, asked: dict[str, Any], sources: list[Source]) -> None:
        """Begin a request, or let it wait for the first of these sources that is not loaded."""
        for number, (path, corpus) in enumerate(sources, start=1):
            indexed = corpus is None or self._copies.holds(corpus, asked.get("longest_copy", 0))
            if path in self._loaded and indexed:
                continue
            self._loader.check(path)
            # A cancelled request leaves a list behind, which says that the model is being loaded.
            is_asked_for = path in self._waiting
            self._waiting.setdefault(path, []).append((asked, sources[number:]))
            if not (is_asked_for and indexed):
                before = None
                if corpus is not None and not indexed:
                    before = partial(self._copies.longest_copy, "", corpus, asked.get("longest_copy", 0))
                known = self._loaded.get(path)
                self._loader.ask(path, before, None if known is None else known.model)
            return
        self._begin(asked, self._model_of(asked))

    def _begin_waiting(self, wait_s: float) -> None:
        """Go on with the requests that waited for a model which has been loaded."""
        for loading in self._loader.done(wait_s):
            if loading.model is not None and loading.path not in self._loaded:
                self._loaded[loading.path] = self._kept(loading.model, loading.seconds)
            for asked, sources in self._waiting.pop(loading.path, ()):
                try:
                    if loading.error is not None:
                        raise loading.error
                    self._proceed(asked, sources)
                except TextgenError as error:
                    self._answer(error_answer(asked["id"], error))
            self._evict()

    def _model_of(self, asked: dict[str, Any]) -> Loaded:
        """Return the model of a request whose sources are loaded; a blend is made of them here."""
        key, sources = key_of(asked), [source.bundle for source in sources_of(asked)]
        if key not in self._loaded:
            # Not in the loader's thread: the networks of both may be at work in this one.
            parts = [self._loaded[source] for source in sources]
            model = blend(parts[0].model, parts[1].model, mix_of(asked["with"]))
            self._loaded[key] = self._kept(model, sum(part.load_s for part in parts))
        # A blend before its parts: as long as it is there, it holds their memory.
        for each in (key, *sources):
            self._loaded.move_to_end(each)
        return self._loaded[key]

    def _kept(self, model: TextModel, load_s: float) -> Loaded:
        """Give a model that was loaded its batch: one that is there already, if its texts can join that."""
        others = self._loaded.values() if together(model) else ()
        shared = (each.batch for each in others if together(each.model) == together(model))
        return Loaded(model, next(shared, None) or Batch(model.engine()), load_s)

    def _begin(self, asked: dict[str, Any], loaded: Loaded) -> None:
        if asked.get("op") in ("score", "who"):
            reading = self._reading(asked, loaded.model)
            self._take_turns(asked, loaded)
            loaded.batch.readings.append(reading)
            return
        corpora = tuple(source.corpus for source in sources_of(asked) if source.corpus is not None)
        requests = self._requests(asked, loaded.model, corpora)
        original = isinstance(requests[0].novelty, Passages)
        job = Job(
            asked["id"],
            loaded.model,
            requests,
            asked.get("stream") is True,
            corpora,
            asked.get("longest_copy", 0),
            loaded.load_s if asked.get("measure") is True else None,
            self._code_of(asked, loaded.model, original) if asked.get("receipt") is True else None,
        )
        self._take_turns(asked, loaded)
        for request in job.requests:
            loaded.batch.jobs[request] = job
            loaded.batch.engine.submit(request, loaded.model.stepper)

    def _take_turns(self, asked: dict[str, Any], loaded: Loaded) -> None:
        busy = {batch.user for batch in self._batches() if not batch.idle}
        loaded.batch.user = str(asked.get("server", asked["bundle"]))
        self._turns.join(loaded.batch.user, busy)

    def _requests(self, asked: dict[str, Any], model: TextModel, corpora: Sequence[str]) -> list[Request]:
        settings: SamplingSettings = asked["settings"]
        tokens = asked.get("tokens")
        counted = tokens is not None and model.tokenizer.counts_tokens
        if tokens is not None:
            settings = replace(settings, length=tokens if counted else MAXIMUM_LENGTH)
        watched = corpora if asked.get("original") is True else ()
        try:
            original = [self._copies.watched(corpus, asked["longest_copy"]) for corpus in watched]
        except (OSError, ValueError):
            raise SettingsError("the corpus that the text is to be kept from cannot be read") from None
        requests = model.requests(asked["seed"], settings, original)
        for request in requests:
            if tokens is not None and not counted:
                request.limit_tokens(tokens)
            if asked.get("scores") is not None:
                request.keep_scores(asked["scores"])
        return requests

    @staticmethod
    def _reading(asked: dict[str, Any], model: TextModel) -> Scoring | Judging:
        if asked["op"] == "who":
            return Judging(asked["id"], model, asked["text"])
        return Scoring(asked["id"], model, asked["seed"], asked["settings"], asked["scores"])

    @staticmethod
    def _code_of(asked: dict[str, Any], model: TextModel, original: bool) -> Callable[[Sample], str | None]:
        limit = asked["longest_copy"] if original else None
        seeded = bool(asked["seed"])
        return partial(code_of_sample, model, asked["settings"], seeded=seeded, longest_copy=limit)

    def _cancel(self, identity: str) -> None:
        for path, waiting in list(self._waiting.items()):
            # The model is loaded nevertheless: the next request may need it.
            self._waiting[path] = [entry for entry in waiting if entry[0]["id"] != identity]
        for batch in self._batches():
            batch.cancel(identity)

    def _evict(self) -> None:
        """Drop models that are not at work, the least recently used first, until the others fit."""
        waiting = [asked for entries in self._waiting.values() for asked, _ in entries]
        kept = {source.bundle for asked in waiting for source in sources_of(asked)}
        for key, loaded in list(self._loaded.items()):
            models = [each.model for each in self._loaded.values()]
            blends = [model for model in models if model.parts]
            over = memory_of(models) > CACHED_BYTES
            dropped = over or (len(blends) > MOST_BLENDS and loaded.model.parts)
            held = any(part is loaded.model for model in blends for part in model.parts)
            if dropped and loaded.idle and key not in kept and not held:
                del self._loaded[key]
