"""One sampler process: `python -m textgen serve`, which reads and writes JSON lines.

A thread reads the answers and settles futures, so the event loop polls nothing. This module knows nothing of
Discord, of servers, or of the other processes.
"""

import contextlib
import json
import os
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import structlog

from bot.generation.sampler_protocol import Refusal, refusal_of
from bot.infra.children.process import (
    child_environment,
    is_runnable,
    processor_s,
    start_child,
    thread_limits,
)

log = structlog.stdlib.get_logger(__name__)

ARGUMENTS = ("-m", "textgen", "serve")
GRACE_S = 2.0
# A process with open requests that writes nothing and uses no processor time hangs.
PING_EVERY_S = 1.0
PING = json.dumps({"op": "ping", "id": "ping"}) + "\n"
MOVED_S = 0.02
HUNG_S = 4.0
# Bundles that a process was asked for last: about as many as it keeps loaded.
REMEMBERED = 30


class WorkerDied(Exception):
    """The process ended before it answered this request."""


class SamplerWorker:
    """A warm sampler process and its open requests.

    Args:
        number: names the process in the log.
        on_exit: called in a thread when the process ends by itself.
        home: folder that the process uses as the user's home; None: the bot's own.
        nice: added to the process's niceness; higher means lower priority.
    """

    def __init__(
        self,
        number: int,
        on_exit: Callable[["SamplerWorker"], None],
        *,
        home: Path | None = None,
        nice: int = 0,
    ) -> None:
        self.number = number
        self._bundles: OrderedDict[str, None] = OrderedDict()
        self.started = self._heard = time.monotonic()
        self._on_exit = on_exit
        self._lock = threading.Lock()
        self._in_flight: dict[str, Future[dict[str, Any] | Refusal]] = {}
        self._closed = False
        self._child = start_child(ARGUMENTS, environment=child_environment(thread_limits(1), home=home))
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, os.getpriority(os.PRIO_PROCESS, 0) + nice)
        self._ended = threading.Event()
        # A full pipe must block none but the thread that writes to it.
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        for target in (self._write_requests, self._read_answers, self._read_errors, self._watch):
            threading.Thread(target=target, name=f"sampler-{number}{target.__name__}", daemon=True).start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._child.process.pid

    @property
    def alive(self) -> bool:
        """Whether it still accepts requests."""
        return not self._closed and self._child.process.poll() is None

    @property
    def silent_s(self) -> float:
        """Seconds since its last line."""
        return time.monotonic() - self._heard

    @property
    def load(self) -> int:
        """Number of open requests."""
        return len(self._in_flight)

    def knows(self, bundle: str) -> bool:
        """Whether it was asked for this bundle lately, and so has probably loaded it."""
        return bundle in self._bundles

    def submit(self, request_id: str, request: Mapping[str, Any]) -> Future[dict[str, Any] | Refusal]:
        """Send a request.

        Args:
            request_id: unique among the open requests.
            request: JSON object with a ``bundle``.

        Returns:
            A future of the answer or the refusal; it raises `WorkerDied` if the process ends first.
        """
        future: Future[dict[str, Any] | Refusal] = Future()
        # A cancelled caller must not cancel a future that the reader is about to settle.
        future.set_running_or_notify_cancel()
        line = json.dumps({"id": request_id, **request}, ensure_ascii=False) + "\n"
        with self._lock:
            if self._closed:
                future.set_exception(WorkerDied())
                return future
            self._in_flight[request_id] = future
            for loaded in filter(None, (request, request.get("with"))):
                self._bundles[str(loaded["bundle"])] = None
                self._bundles.move_to_end(str(loaded["bundle"]))
                if len(self._bundles) > REMEMBERED:
                    self._bundles.popitem(last=False)
        self._lines.put(line)
        return future

    def forget(self, request_id: str) -> None:
        """Drop a request: nobody waits for its answer any more."""
        with self._lock:
            known = self._in_flight.pop(request_id, None)
        if known is not None:
            self._lines.put(json.dumps({"op": "cancel", "id": request_id}) + "\n")

    def close(self) -> None:
        """End the process: close its input first, then send a signal."""
        self._closed = True
        self._lines.put(None)
        self._child.wait_or_kill(GRACE_S)

    def kill(self) -> None:
        """End the process at once; its open requests fail with `WorkerDied`."""
        self._child.process.kill()

    def _write_requests(self) -> None:
        # If the pipe is closed, the reader of answers settles the open requests.
        with contextlib.suppress(OSError, ValueError):
            while (line := self._lines.get()) is not None:
                self._child.stdin.write(line)
                self._child.stdin.flush()
        self._child.close_input()

    def _watch(self) -> None:
        """Kill the process if it hangs, so that another one can answer its requests."""
        heard, used, since = self._heard, processor_s(self.pid), time.monotonic()
        while not self._ended.wait(PING_EVERY_S):
            busy = bool(self._in_flight)
            if busy:
                self._lines.put(PING)
            now_used = processor_s(self.pid)
            moved = now_used is None or used is None or now_used - used > MOVED_S
            # On a busy host a process may get no processor for seconds: it waits for one, and does not hang.
            if not busy or self._heard != heard or moved or is_runnable(self.pid):
                heard, used, since = self._heard, now_used, time.monotonic()
            elif time.monotonic() - since > HUNG_S:
                log.warning("sampler hangs", worker=self.number)
                self.kill()
                return

    def _read_answers(self) -> None:
        for line in self._child.stdout:
            self._heard = time.monotonic()
            try:
                answer = json.loads(line)
            except json.JSONDecodeError:
                log.warning("sampler wrote something else than JSON", worker=self.number, line=line[:200])
                continue
            with self._lock:
                future = self._in_flight.pop(str(answer.get("id")), None)
            if future is not None:
                error = answer.get("error")
                future.set_result(refusal_of(error) if error else answer)
        self._child.stdout.close()
        self._child.process.wait()
        self._ended.set()
        with self._lock:
            expected, self._closed = self._closed, True
            self._lines.put(None)
            orphans = list(self._in_flight.values())
            self._in_flight.clear()
        if not expected:
            log.warning(
                "sampler ended",
                worker=self.number,
                exit_code=self._child.process.returncode,
                in_flight=len(orphans),
            )
        for future in orphans:
            future.set_exception(WorkerDied())
        if not expected:
            self._on_exit(self)

    def _read_errors(self) -> None:
        for line in self._child.stderr:
            log.info("sampler said", worker=self.number, line=line.rstrip()[:500])
        self._child.stderr.close()
