"""A small pool of warm sampler processes.

Same model, same process where possible: each keeps the models it has loaded, and batches the requests
for one model together. A process that dies is started anew; what it had in hand is tried once more.
"""

import asyncio
import itertools
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.errors import SampleRefused, SamplerUnavailable
from bot.sampling.worker import Refusal, SamplerWorker, WorkerDied

log = structlog.stdlib.get_logger(__name__)

ATTEMPTS = 2
# A process that dies sooner than this after its start is not started again at once.
SHORTEST_LIFE_S = 1.0
RESTART_PAUSE_S = 5.0


@dataclass(frozen=True)
class SampleRequest:
    """What to sample.

    Attributes:
        bundle: the model's bundle.
        seed: text to go on from; empty: one of the bundle's line starts.
        length: characters to write.
        temperature: 0 is greedy.
        random_seed: None: drawn.
    """

    bundle: Path
    seed: str
    length: int
    temperature: float
    random_seed: int | None


@dataclass(frozen=True)
class SampleText:
    """What was sampled, with the seed and random seed that were used."""

    seed: str
    text: str
    random_seed: int


class SamplerPool:
    """Sampler processes behind one `sample` coroutine.

    Args:
        size: processes kept.
        timeout_s: after which a sample is given up.
    """

    def __init__(self, size: int, *, timeout_s: float) -> None:
        self._size = size
        self._timeout_s = timeout_s
        self._workers: list[SamplerWorker] = []
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._requests = itertools.count(1)
        self._timers: set[threading.Timer] = set()
        self._closed = False

    def start(self) -> None:
        """Start the processes; they warm up on their own."""
        with self._lock:
            self._closed = False
            while len(self._workers) < self._size:
                self._workers.append(SamplerWorker(next(self._numbers), self._replace))

    def close(self) -> None:
        """End the processes; blocks for up to a few seconds."""
        with self._lock:
            self._closed = True
            workers, self._workers = self._workers, []
            for timer in self._timers:
                timer.cancel()
        for worker in workers:
            worker.close()

    @property
    def pids(self) -> list[int]:
        """Process ids of the living workers."""
        with self._lock:
            return [worker.pid for worker in self._workers if worker.alive]

    async def sample(self, request: SampleRequest) -> SampleText:
        """Sample one text.

        Raises:
            SampleRefused: the request cannot be done, with the reason.
            SamplerUnavailable: no process answered in time, or one died twice over it.
        """
        payload = {
            "bundle": str(request.bundle),
            "seed": request.seed,
            "settings": {
                "length": request.length,
                "temperature": request.temperature,
                "random_seed": request.random_seed,
            },
        }
        for attempt in range(1, ATTEMPTS + 1):
            worker = self._choose(payload["bundle"])
            request_id = f"r{next(self._requests)}"
            future = worker.submit(request_id, payload)
            try:
                answer = await asyncio.wait_for(asyncio.wrap_future(future), self._timeout_s)
            except TimeoutError:
                worker.forget(request_id)
                if worker.silent_s >= self._timeout_s and worker.alive:
                    # It hangs. Whatever else it has in hand is tried once more by another.
                    log.warning("sampler does not answer", worker=worker.number)
                    worker.kill()
                raise SamplerUnavailable(
                    f"The sampler did not answer within {self._timeout_s:g} s. "
                    "Try a shorter length, or again later."
                ) from None
            except WorkerDied:
                log.warning("sample lost with its worker", worker=worker.number, attempt=attempt)
                continue
            if isinstance(answer, Refusal):
                raise SampleRefused(answer.message)
            return SampleText(seed=answer["seed"], text=answer["text"], random_seed=answer["random_seed"])
        raise SamplerUnavailable("The sampler stopped twice over this request. Please try again in a moment.")

    def _choose(self, bundle: object) -> SamplerWorker:
        """The least busy worker, one that has the bundle loaded if it is no busier than the others."""
        with self._lock:
            alive = [worker for worker in self._workers if worker.alive]
            if not alive and not self._closed:
                alive = [SamplerWorker(next(self._numbers), self._replace)]
                self._workers = alive
            if not alive:
                raise SamplerUnavailable("The bot is shutting down. Please try again in a moment.")
            return min(alive, key=lambda worker: (worker.load, bundle not in worker.bundles))

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
                self._workers.append(SamplerWorker(next(self._numbers), self._replace))
