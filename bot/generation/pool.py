"""A small pool of warm sampler processes.

Same model, same process where possible: each keeps the models it has loaded, and batches the requests
for one model together. A process that dies is started anew; what it had in hand is tried once more.
Before the processes stand fair turns (`bot.generation.fair_queue`), so that no server waits long for another.
"""

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bot.errors import SampleRefused, SamplerUnavailable, UserError
from bot.generation.fair_queue import Admission, FairTurns, LineFull
from bot.generation.sampler import Refusal, SamplerWorker, WorkerDied
from bot.generation.speed_lanes import Lane, Usage, Weights
from bot.i18n import _
from textgen.errors import SettingsError

log = structlog.stdlib.get_logger(__name__)

ATTEMPTS = 2
# A process that dies sooner than this after its start is not started again at once.
SHORTEST_LIFE_S = 1.0
RESTART_PAUSE_S = 5.0

# Servers for which each process writes at a time, and texts for one of them. Few servers means few models:
# each is read once for all that is asked of it, and there is no memory for many.
SERVERS = 2
FOR_ONE = 8
# Requests of one server that may wait for their turn.
LINE = 40
# Servers for which the process apart writes at a time; and how long it is kept without work.
APART_SERVERS = 3
APART_IDLE_S = 300.0
APART_NICE = 10
# A process that has a model gets the requests for it, unless it has so many more in hand than another.
LEAD = 8


class ServerBusy(UserError):
    """The server asked for more than can wait."""

    def __init__(self) -> None:
        super().__init__(
            _("This server already has {number} texts waiting to be written. Try again in a moment.").format(
                number=LINE
            )
        )


@dataclass(frozen=True)
class SampleRequest:
    """What to sample.

    Attributes:
        bundle: the model's bundle.
        seed: text to go on from; empty: one of the bundle's line starts.
        length: characters to write.
        temperature: 0 is greedy.
        random_seed: of the first text, the others have those that follow; None: drawn.
        top_p: only the likeliest tokens that together have this probability; None: all.
        count: texts to write.
        corpus: what no text should repeat.
        longest_copy: more characters than this in one piece are told of.
        server: whose turn it is, a guild's id.
    """

    bundle: Path
    seed: str
    length: int
    temperature: float
    random_seed: int | None
    top_p: float | None = None
    count: int = 1
    corpus: Path | None = None
    longest_copy: int = 0
    server: int = 0

    def payload(self, root: Path) -> dict[str, Any]:
        """What the sampler is told; relative paths are below `root`."""
        settings = {
            "length": self.length,
            "temperature": self.temperature,
            "random_seed": self.random_seed,
            "top_p": self.top_p,
            "count": self.count,
        }
        watched = (
            {"corpus": str(root / self.corpus), "longest_copy": self.longest_copy} if self.corpus else {}
        )
        asked = {"bundle": str(root / self.bundle), "seed": self.seed, "settings": settings, **watched}
        return asked | {"server": str(self.server), "measure": True}


@dataclass(frozen=True)
class SampleText:
    """What was sampled, with the seed and random seed that were used.

    Attributes:
        seed: as the model reads it.
        text: without the seed.
        random_seed: draws the same text again.
        copied: characters of the longest run that stands in the corpus, 0 if that is short.
        training: what ended the model's training.
        unseen: what of the seed was left out, since the model has never seen it.
    """

    seed: str
    text: str
    random_seed: int
    copied: int = 0
    training: str = ""
    unseen: tuple[str, ...] = ()


class SamplerPool:
    """Sampler processes behind one `samples` coroutine.

    Args:
        size: processes kept.
        timeout_s: after which a sample is given up.
        root: what relative paths of requests are below.
        home: what the processes take for the user's home; None: the bot's own.
    """

    def __init__(self, size: int, *, timeout_s: float, root: Path = Path(), home: Path | None = None) -> None:
        self._size = size
        self._root = root
        self._home = home
        self._timeout_s = timeout_s
        self._workers: list[SamplerWorker] = []
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._requests = itertools.count(1)
        self._timers: set[threading.Timer] = set()
        self._turns = FairTurns(
            servers=SERVERS * size, for_one=FOR_ONE, line=LINE, apart=APART_SERVERS, usage=Usage()
        )
        self._weights = Weights()
        # Started when it is needed first, ended when it was not for a while.
        self._apart: SamplerWorker | None = None
        self._apart_end: asyncio.TimerHandle | None = None
        self._admission = Admission(LINE + FOR_ONE)
        self._closed = False

    def start(self) -> None:
        """Start the processes; they warm up on their own."""
        with self._lock:
            self._closed = False
            while len(self._workers) < self._size:
                self._workers.append(self._worker(self._replace))

    def _worker(self, on_exit: Callable[[SamplerWorker], None], *, nice: int = 0) -> SamplerWorker:
        return SamplerWorker(next(self._numbers), on_exit, home=self._home, nice=nice)

    def close(self) -> None:
        """End the processes; blocks for up to a few seconds."""
        with self._lock:
            self._closed = True
            workers, self._workers = self._workers, []
            if self._apart is not None:
                workers.append(self._apart)
                self._apart = None
            for timer in self._timers:
                timer.cancel()
        for worker in workers:
            worker.close()

    @contextlib.contextmanager
    def admitted(self, server: int) -> Iterator[None]:
        """Count a request of a server until it is answered, before anything else is done for it.

        Raises:
            ServerBusy: the server has asked for enough.
        """
        try:
            with self._admission.admitted(server):
                yield
        except LineFull:
            raise ServerBusy from None

    @property
    def pids(self) -> list[int]:
        """Process ids of the living workers, but for the one apart."""
        with self._lock:
            return [worker.pid for worker in self._workers if worker.alive]

    async def samples(self, request: SampleRequest) -> tuple[SampleText, ...]:
        """Sample the texts of a request, when it is its server's turn.

        Raises:
            SampleRefused: the request cannot be done, with the reason.
            SamplerUnavailable: no process answered in time, or one died twice over it.
            ServerBusy: too much of this server waits already.
        """
        try:
            async with asyncio.timeout(self._timeout_s) as patience:
                heavy = await asyncio.to_thread(self._weights.is_heavy, self._root / request.bundle)
                async with self._turns.turn(request.server, request.count, heavy=heavy) as lane:
                    patience.reschedule(None)  # from here on each attempt has its own
                    return await self._sampled(request, lane)
        except LineFull:
            raise ServerBusy from None
        except TimeoutError:
            raise self._too_late() from None

    async def _sampled(self, request: SampleRequest, lane: Lane) -> tuple[SampleText, ...]:
        payload = request.payload(self._root)
        for attempt in range(1, ATTEMPTS + 1):
            worker = self._choose(payload["bundle"], lane)
            request_id = f"r{next(self._requests)}"
            future = worker.submit(request_id, payload)
            try:
                answer = await asyncio.wait_for(asyncio.wrap_future(future), self._timeout_s)
            except asyncio.CancelledError:
                worker.forget(request_id)
                raise
            except TimeoutError:
                worker.forget(request_id)
                if worker.silent_s >= self._timeout_s and worker.alive:
                    # It hangs. Whatever else it has in hand is tried once more by another.
                    log.warning("sampler does not answer", worker=worker.number)
                    worker.kill()
                raise self._too_late() from None
            except WorkerDied:
                log.warning("sample lost with its worker", worker=worker.number, attempt=attempt)
                continue
            if isinstance(answer, Refusal):
                raise _refused(answer)
            if "step_s" in answer:
                measured = {name: float(answer[name]) for name in ("load_s", "step_s")}
                self._weights.took(self._root / request.bundle, **measured)
            return _texts(answer)
        raise SamplerUnavailable(
            _("The sampler stopped twice over this request. Please try again in a moment.")
        )

    def _too_late(self) -> SamplerUnavailable:
        return SamplerUnavailable(
            _(
                "The sampler did not answer within {seconds:g} s. Try a shorter length, or again later."
            ).format(seconds=self._timeout_s)
        )

    def _choose(self, bundle: str, lane: Lane) -> SamplerWorker:
        """A worker that has the bundle, if it is not far busier than others; else the least busy."""
        if lane is Lane.APART:
            return self._the_one_apart()
        with self._lock:
            alive = [worker for worker in self._workers if worker.alive]
            if not alive and not self._closed:
                alive = [self._worker(self._replace)]
                self._workers = alive
            if not alive:
                raise SamplerUnavailable(_("The bot is shutting down. Please try again in a moment."))
            least = min(worker.load for worker in alive)
            near = [w for w in alive if w.load <= least + LEAD and w.knows(bundle)]
            return min(near or alive, key=lambda worker: worker.load)

    def _the_one_apart(self) -> SamplerWorker:
        """The process that writes what would hold up others; it is started if there is none."""
        with self._lock:
            if self._closed:
                raise SamplerUnavailable(_("The bot is shutting down. Please try again in a moment."))
            if self._apart is None or not self._apart.alive:
                self._apart = self._worker(_nothing, nice=APART_NICE)
            worker = self._apart
        if self._apart_end is not None:
            self._apart_end.cancel()
        self._apart_end = asyncio.get_running_loop().call_later(APART_IDLE_S, self._end_apart)
        return worker

    def _end_apart(self) -> None:
        """End the process apart, which takes memory, if it has nothing to do."""
        with self._lock:
            worker = self._apart
            if worker is None or worker.load:
                return
            self._apart = None
        threading.Thread(target=worker.close, name="sampler-end", daemon=True).start()

    def _replace(self, dead: SamplerWorker) -> None:
        lived_s = time.monotonic() - dead.started
        if lived_s < SHORTEST_LIFE_S:
            timer = threading.Timer(RESTART_PAUSE_S, self._refill)
            timer.daemon = True
            self._timers.add(timer)
            timer.start()
        else:
            self._refill()

    def _refill(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._workers = [worker for worker in self._workers if worker.alive]
            while len(self._workers) < self._size:
                self._workers.append(self._worker(self._replace))


def _nothing(_dead: SamplerWorker) -> None:
    """The process apart is started again when it is needed."""


def _refused(refusal: Refusal) -> SampleRefused:
    """What a person is told: of a seed or setting the sampler's own words, of a bundle's files none."""
    if refusal.kind == SettingsError.__name__:
        return SampleRefused(refusal.message, refusal.line, refusal.values)
    log.error("a model cannot be sampled", kind=refusal.kind, reason=refusal.message)
    return SampleRefused(
        _("This model is damaged or not on the disk any more; whoever hosts the bot finds more in its log."),
        passing=True,
    )


def _texts(answer: dict[str, Any]) -> tuple[SampleText, ...]:
    several = "texts" in answer
    texts = answer["texts"] if several else [answer["text"]]
    seeds = answer["seeds"] if several else [answer["seed"]]
    random_seeds = answer["random_seeds"] if several else [answer["random_seed"]]
    copied = answer.get("copied", [0] * len(texts))
    return tuple(
        SampleText(seed, text, random_seed, longest, answer["training"], tuple(answer["unseen"]))
        for seed, text, random_seed, longest in zip(seeds, texts, random_seeds, copied, strict=True)
    )
