"""The trainer process: `python -m textgen train --events --control`, watched from a thread.

Its JSON lines become calls of `on_event`; a request to finish becomes a word on its standard input. While
that input is open, the trainer knows that its parent lives. If the bot is killed, the trainer sees the end of
input, saves a checkpoint and ends. Knows nothing of the database or of Discord.
"""

import collections
import contextlib
import json
import queue
import shutil
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import structlog

from bot.infra.children.process import Child, child_environment, start_child, thread_limits
from bot.infra.threads import follower
from bot.text import reasons
from bot.training.trainer.watchdog import Watchdog
from textgen.levels import DEFAULT_LEVEL

log = structlog.stdlib.get_logger(__name__)

# A trainer whose bot was killed releases its directory when it notices that; wait for it.
LOCK_TIMEOUT_S = 30
GRACE_S = 20.0
TICK_S = 0.5
STDERR_LINES = 40
# A worker that is frozen no longer tells its trainer that it is there. The trainer must have ended before
# another worker goes on with the training, which is 10 s after a sign of life at the earliest.
ALIVE_EVERY_S = 1.0
PATIENCE_S = 8
# A file in the training's folder: the memory is too small for whole batches, also after a resume.
HALF_BATCH = "half-batch"
SHORT_OF_MEMORY = (
    "the host's memory is too small for this training, even in batches of half the size; "
    "a smaller size or a shorter text needs less"
)
MEMORY_WORDS = ("MemoryError", "bad_alloc", "Cannot allocate memory", "RESOURCE_EXHAUSTED")


class Stop(Enum):
    """Why a training must end early."""

    CANCEL = "cancel"
    LOST = "lost"
    FINISH = "finish"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True)
class TrainingOrder:
    """What to train, and how.

    Attributes:
        directory: folder with `input.txt` and, optionally, `validate.txt`.
        bundle: path of the finished bundle.
        time_limit_s: time limit by the wall clock, in seconds.
        threads: number of processor threads; 0 for all.
        level: what a token is.
        size: preset of the network; None leaves it to the trainer.
        base: bundle to train further, which decides level and network; None to begin anew.
        pretrained: name of a pretrained base to fine-tune, which decides the same; None for none.
        home: folder for the trainer's home, caches and temporary files; None for a folder in `directory`. A
            copy of a text elsewhere would be missed by deletions.
    """

    directory: Path
    bundle: Path
    time_limit_s: float
    threads: int = 0
    level: str = DEFAULT_LEVEL
    size: str | None = None
    base: Path | None = None
    pretrained: str | None = None
    home: Path | None = None

    @property
    def half_batch(self) -> Path:
        """The file that says that only half batches fit into memory."""
        return self.directory / HALF_BATCH

    def arguments(self) -> list[str]:
        """Return the command line arguments of the trainer."""
        # Case is kept, because it is part of a style.
        base = self.base or self.pretrained
        recipe = ["--base", str(base)] if base else ["--level", self.level, "--pristine-input"]
        if self.size is not None:
            recipe += ["--preset", self.size]
        if self.half_batch.exists():
            recipe.append("--half-batch")
        return [
            *("--data-dir", str(self.directory), "--output", str(self.bundle), *recipe),
            *("--time-limit", f"{self.time_limit_s:g}", "--resume", "--curve", "--no-cache"),
            *("--events", "--control", "--control-timeout", str(PATIENCE_S)),
            *("--lock-timeout", str(LOCK_TIMEOUT_S)),
        ]


@dataclass(frozen=True)
class TrainingEnd:
    """How a training ended: finished, stopped, or failed with an error for people.

    `short_of_memory` says whether the error is a lack of memory.
    """

    finished: dict[str, Any] | None = None
    stopped: Stop | None = None
    error: str | None = None
    short_of_memory: bool = False


def checkpoint_of(bundle: Path) -> Path:
    """Return the path of the trainer's checkpoint."""
    return bundle.with_name(f"{bundle.name}.checkpoint")


def lock_of(bundle: Path) -> Path:
    """Return the path of the lock that the trainer holds while it runs."""
    return bundle.with_name(f"{bundle.name}.lock")


def run_trainer(
    order: TrainingOrder,
    *,
    on_event: Callable[[dict[str, Any]], None],
    should_stop: Callable[[], Stop | None],
) -> TrainingEnd:
    """Train to the end, or until `should_stop` gives a reason; blocks.

    If the memory is too small, the training begins once more with half the batch size, and an event
    `half_batch` says so.

    Args:
        order: what to train.
        on_event: called with each `started`, `progress`, `sample` and `checkpoint` event.
        should_stop: called about twice a second; `Stop.FINISH` asks the trainer to finish early by itself.
    """
    end = _run_once(order, on_event, should_stop)
    if end.short_of_memory and not order.half_batch.exists():
        log.warning("the memory is too small for a training: once more with half the batch", reason=end.error)
        # The checkpoint was made with another batch size.
        shutil.rmtree(checkpoint_of(order.bundle), ignore_errors=True)
        try:
            order.half_batch.touch()
        except OSError:
            return end
        on_event({"event": "half_batch"})
        end = _run_once(order, on_event, should_stop)
    return replace(end, error=SHORT_OF_MEMORY) if end.short_of_memory else end


def _run_once(
    order: TrainingOrder, on_event: Callable[[dict[str, Any]], None], should_stop: Callable[[], Stop | None]
) -> TrainingEnd:
    child = start_child(
        ["-m", "textgen", "train", *order.arguments()],
        environment=child_environment(
            {"TF_CPP_MIN_LOG_LEVEL": "3"} | thread_limits(order.threads),
            home=order.home or order.directory / "home",
        ),
    )
    lines: queue.Queue[str | None] = queue.Queue()
    last_words: collections.deque[str] = collections.deque(maxlen=STDERR_LINES)
    readers = [
        follower("trainer-events", _read_lines, child, lines),
        follower("trainer-errors", _read_errors, child, last_words),
    ]
    for reader in readers:
        reader.start()
    ended = threading.Event()
    follower("trainer-alive", _say_alive, child, ended).start()
    try:
        end = _watch(child, lines, on_event, should_stop, Watchdog(child.process.pid, order.time_limit_s))
    except BaseException:
        child.close_input()  # it saves a checkpoint and ends
        raise
    finally:
        closed_at = time.monotonic()
        ended.set()
        exit_code = child.wait_or_kill(GRACE_S)
        by_itself = time.monotonic() - closed_at < GRACE_S
        child.close_input()
        for reader in readers:
            reader.join(TICK_S)
    if end.finished or end.stopped or end.error:
        return end
    return TrainingEnd(
        error=_reason(exit_code, last_words),
        short_of_memory=by_itself and _short_of_memory(exit_code, last_words),
    )


def _watch(
    child: Child,
    lines: "queue.Queue[str | None]",
    on_event: Callable[[dict[str, Any]], None],
    should_stop: Callable[[], Stop | None],
    watchdog: Watchdog,
) -> TrainingEnd:
    asked_to_finish = False
    while True:
        stop = should_stop()
        if stop is Stop.FINISH:
            if not asked_to_finish:
                _say(child, "finish")
                asked_to_finish = True
        elif stop is not None:
            _stop(child, stop)
            return TrainingEnd(stopped=stop)
        complaint = watchdog.complaint()
        if complaint is not None:
            child.kill()
            return TrainingEnd(error=complaint)
        try:
            line = lines.get(timeout=TICK_S)
        except queue.Empty:
            continue
        if line is None:
            return TrainingEnd()
        watchdog.heard()
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            log.warning("trainer wrote something else than JSON", line=line[:200])
            continue
        if event["event"] == "finished":
            return TrainingEnd(finished=event)
        if event["event"] == "failed":
            reason = event.get("reason")
            said = reasons.DISK_FULL if reason == "disk" else str(event["error"])
            return TrainingEnd(error=said, short_of_memory=reason == "memory")
        on_event(event)


def _stop(child: Child, stop: Stop) -> None:
    if stop in (Stop.CANCEL, Stop.LOST):
        # Nothing of it is kept, or another process has it. During a compilation the trainer would not react,
        # and the next job would wait.
        child.kill()
    child.close_input()


def _say_alive(child: Child, ended: threading.Event) -> None:
    """Say that this process is not frozen, whatever the database keeps it waiting for."""
    while not ended.wait(ALIVE_EVERY_S):
        _say(child, "alive")


def _say(child: Child, word: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # the trainer may have ended, or its input is closed
        child.stdin.write(f"{word}\n")
        child.stdin.flush()


def _read_lines(child: Child, lines: "queue.Queue[str | None]") -> None:
    with child.stdout as stream:
        for line in stream:
            lines.put(line)
    lines.put(None)


def _read_errors(child: Child, last_words: "collections.deque[str]") -> None:
    with child.stderr as stream:
        last_words.extend(line.rstrip()[:500] for line in stream if line.strip())


def _short_of_memory(exit_code: int, last_words: "collections.deque[str]") -> bool:
    """Whether a trainer ended for lack of memory; the kernel then sends SIGKILL."""
    said = any(word in line for line in last_words for word in MEMORY_WORDS)
    return exit_code == -signal.SIGKILL or (exit_code != 0 and said)


def _reason(exit_code: int, last_words: "collections.deque[str]") -> str:
    """Return one line about a trainer that ended without a message of its own."""
    if exit_code < 0:
        how = f"the trainer was ended by {signal.Signals(-exit_code).name}"
    else:
        how = f"the trainer ended with exit code {exit_code}"
    return f"{how}: {last_words[-1].removeprefix('error: ')}" if last_words else how
