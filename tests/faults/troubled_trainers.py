"""Trainers that stand still, are killed for memory, or have too little of it: each ends and says why."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from bot.infra.children.process import Child
from bot.training.trainer import process
from bot.training.trainer.process import Stop, TrainingEnd, TrainingOrder, run_trainer
from tests.faults.harness import Skipped
from tests.faults.tools import trainings

MINUTES = 4.0
WAITS = True
_LIMIT_S = 10.0
_GRACE_S = 60.0
_MEMORY_MB = 300
_PATIENCE_S = 240.0


class _Watched:
    """A training as the bot runs it, with its processes at hand."""

    def __init__(
        self,
        folder: Path,
        size: str = "small",
        limit_s: float = _LIMIT_S,
        started: Callable[[int], None] = lambda pid: None,
    ) -> None:
        data = trainings.lay_out(folder / "data", 60_000)
        self.pids: list[int] = []
        self.events: list[dict[str, Any]] = []
        self.end: TrainingEnd | None = None
        self._gave_up = threading.Event()
        order = TrainingOrder(data, folder / "bundle", limit_s, threads=1, size=size)
        real = process.start_child

        def start(*arguments: Any, **more: Any) -> Child:
            child = real(*arguments, **more)
            started(child.process.pid)
            self.pids.append(child.process.pid)
            return child

        def train() -> None:
            process.start_child = start
            try:
                self.end = run_trainer(order, on_event=self.events.append, should_stop=self._stop)
            finally:
                process.start_child = real

        self._thread = threading.Thread(target=train)
        self._begun = time.monotonic()
        self._thread.start()

    def _stop(self) -> Stop | None:
        return Stop.CANCEL if self._gave_up.is_set() else None

    def wait_for_start(self) -> None:
        """Wait until it trains."""
        while not self.events and self._thread.is_alive():
            time.sleep(0.05)

    def wait(self) -> float:
        """Wait for its end, or give it up; return the seconds since its start."""
        self._thread.join(_PATIENCE_S)
        self._gave_up.set()
        self._thread.join()
        return time.monotonic() - self._begun

    @property
    def said(self) -> str:
        """What people are told."""
        return (self.end and self.end.error) or ""


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Stop, kill, and starve trainers."""
    yield from _killed(folder / "killed", "tiny" if short else "small", 4.0 if short else _LIMIT_S)
    if short:
        return
    yield from _stopped(folder / "stopped")
    yield from _starved(folder / "starved")


def _stopped(folder: Path) -> Iterator[Figure]:
    watched = _Watched(folder)
    watched.wait_for_start()
    os.kill(watched.pids[0], signal.SIGSTOP)
    took = watched.wait()
    print(watched.said)
    bound = _LIMIT_S + _GRACE_S + 10
    yield Figure(f"trainer stopped, limit {_LIMIT_S:g} s: ended after", took, "s", f"≤ {bound:g}")
    yield Figure("trainer stopped: reason told", bool(watched.said), "", "≥ 1")


def _killed(folder: Path, size: str, limit_s: float) -> Iterator[Figure]:
    """Kill it as the kernel does for want of memory; the second try is let alone."""
    watched = _Watched(folder, size, limit_s)
    watched.wait_for_start()
    os.kill(watched.pids[0], signal.SIGKILL)
    watched.wait()
    print(watched.said)
    yield Figure("trainer killed as for memory: tries", len(watched.pids), "", "≥ 2")
    done = watched.end is not None and watched.end.finished is not None
    yield Figure("trainer killed once as for memory: not finished", not done, "", "≤ 0")


def _starved(folder: Path) -> Iterator[Figure]:
    group, limit = _control_group()
    try:
        (group / limit).write_text(str(_MEMORY_MB << 20))
        watched = _Watched(folder, started=lambda pid: _move(group, pid))
        watched.wait()
        print(watched.said)
        ended = watched.end is not None and (watched.end.finished is not None or "memory" in watched.said)
        yield Figure(f"trainer in {_MEMORY_MB} MB: tries", len(watched.pids), "", "≤ 2")
        yield Figure(f"trainer in {_MEMORY_MB} MB: neither finished nor said why", not ended, "", "≤ 0")
    finally:
        time.sleep(0.5)
        group.rmdir()


def _move(group: Path, pid: int) -> None:
    (group / "cgroup.procs").write_text(str(pid))


def _control_group() -> tuple[Path, str]:
    """Make a control group for memory; return it and its limit's name."""
    root = Path("/sys/fs/cgroup")
    first = (root / "memory").is_dir()
    group = (root / "memory" if first else root) / f"pastiche-fault-{os.getpid()}"
    limit = "memory.limit_in_bytes" if first else "memory.max"
    try:
        group.mkdir()
    except OSError as error:
        raise Skipped(f"no control group can be made here ({error.strerror})") from None
    if not (group / limit).exists():
        group.rmdir()
        raise Skipped("control groups do not limit memory here")
    return group, limit
