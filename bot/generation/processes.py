"""The warm sampler processes: started, chosen for a request, and started again when one dies.

A few quick processes are always there. Two more, with a low priority, write what would hold up the others
(`bot.generation.process_choice`): one what is slow, one what comes from pretrained bases. Each starts when it
is needed and ends when it has had no work for a while.
"""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bot.errors import SamplerUnavailable
from bot.generation.process_choice import Lane
from bot.generation.sampler import SamplerWorker
from bot.i18n import _

# A process that dies sooner than this after its start is not started again at once.
SHORTEST_LIFE_S = 1.0
RESTART_PAUSE_S = 5.0
# A slow process ends after so many seconds without work.
APART_IDLE_S = 300.0
APART_NICE = 10
# A process that has the model loaded is chosen unless it has so many more requests than the least busy one.
LEAD = 8


class SamplerProcesses:
    """Keeps sampler processes running, and chooses one for each request.

    Args:
        size: number of quick processes.
        home: folder that the processes use as the user's home; None: the bot's own.
    """

    def __init__(self, size: int, home: Path | None = None) -> None:
        self._size = size
        self._home = home
        self._workers: list[SamplerWorker] = []
        self._apart: dict[Lane, SamplerWorker] = {}
        self._apart_ends: dict[Lane, asyncio.TimerHandle] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """Process ids of the quick processes that live."""
        with self._lock:
            return [worker.pid for worker in self._workers if worker.alive]

    def start(self) -> None:
        """Start the quick processes; they warm up by themselves."""
        with self._lock:
            self._closed = False
        self._refill()

    def close(self) -> None:
        """End every process; blocks for up to a few seconds."""
        with self._lock:
            self._closed = True
            workers, self._workers = self._workers, []
            workers += self._apart.values()
            self._apart = {}
        for worker in workers:
            worker.close()

    def choose(self, bundle: str, lane: Lane) -> SamplerWorker:
        """Choose the process for a request.

        In the quick lane that is one that has the bundle loaded, unless it is far busier than others; else
        the least busy.

        Args:
            bundle: path of the model's bundle.
            lane: where the request is written.

        Raises:
            SamplerUnavailable: the processes are closed.
        """
        if lane is not Lane.QUICK:
            return self.slow_process(lane)
        with self._lock:
            if self._closed:
                raise _shutting_down()
            alive = [worker for worker in self._workers if worker.alive]
            if not alive:
                alive = self._workers = [self._worker(self._replace)]
            least = min(worker.load for worker in alive)
            near = [w for w in alive if w.load <= least + LEAD and w.knows(bundle)]
            return min(near or alive, key=lambda worker: worker.load)

    def slow_process(self, lane: Lane = Lane.APART) -> SamplerWorker:
        """The process that writes what would hold up others; it starts here if there is none.

        Args:
            lane: any but the quick one.

        Raises:
            SamplerUnavailable: the processes are closed.
        """
        with self._lock:
            if self._closed:
                raise _shutting_down()
            worker = self._apart.get(lane)
            if worker is None or not worker.alive:
                # If it dies, the next request that needs it starts another.
                worker = self._apart[lane] = self._worker(lambda _dead: None, nice=APART_NICE)
        if lane in self._apart_ends:
            self._apart_ends[lane].cancel()
        self._apart_ends[lane] = asyncio.get_running_loop().call_later(APART_IDLE_S, self._end_apart, lane)
        return worker

    def _worker(self, on_exit: Callable[[SamplerWorker], None], *, nice: int = 0) -> SamplerWorker:
        return SamplerWorker(next(self._numbers), on_exit, home=self._home, nice=nice)

    def _end_apart(self, lane: Lane) -> None:
        """End a slow process, which takes memory, if it has nothing to do."""
        with self._lock:
            worker = self._apart.get(lane)
            if worker is None or worker.load:
                return
            del self._apart[lane]
        threading.Thread(target=worker.close, name="sampler-end", daemon=True).start()

    def _replace(self, dead: SamplerWorker) -> None:
        """Start another process for a dead one, from whose own thread this is called."""
        if time.monotonic() - dead.started < SHORTEST_LIFE_S:
            time.sleep(RESTART_PAUSE_S)
        self._refill()

    def _refill(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._workers = [worker for worker in self._workers if worker.alive]
            while len(self._workers) < self._size:
                self._workers.append(self._worker(self._replace))


def _shutting_down() -> SamplerUnavailable:
    return SamplerUnavailable(_("The bot is shutting down. Please try again in a moment."))
