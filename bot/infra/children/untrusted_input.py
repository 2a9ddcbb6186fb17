"""Child processes that read what people send: with limits, in sessions of their own, and few at a time.

A hostile text or bundle can take any amount of time and memory. So it is read in a child process that the
kernel ends at its limits, never in the bot's process. The threads that wait for children have a pool of their
own, so that no database call waits for one.
"""

import asyncio
import contextlib
import contextvars
import functools
import os
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from bot.infra.children.limit_and_run import OUT_OF_MEMORY
from bot.infra.children.process import child_environment, start_child, thread_limits

P = ParamSpec("P")
Result = TypeVar("Result")

_children: contextvars.ContextVar["set[subprocess.Popen[str]]"] = contextvars.ContextVar("children")


@dataclass(frozen=True)
class Limits:
    """The limits of a child.

    Attributes:
        wall_s: seconds by the wall clock until it is killed.
        processor_s: processor time, in seconds.
        memory_bytes: address space, in bytes; a Python process with NumPy begins with about 120 MB.
    """

    wall_s: float
    processor_s: int
    memory_bytes: int


class OutOfTime(Exception):
    """The child took too long and was killed."""


class OutOfMemory(Exception):
    """The child asked for more memory than it may have."""


def run_limited(
    module: str, arguments: Sequence[str], limits: Limits, *, told: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run `python -m MODULE ARGUMENTS` to its end, and return its exit code and what it wrote; blocks.

    Args:
        module: name of the module.
        arguments: its arguments.
        limits: what it may use.
        told: what it reads on standard input; None for nothing.

    Raises:
        OutOfTime: it reached the limit of time.
        OutOfMemory: it reached the limit of memory.
    """
    allowed = [str(limits.memory_bytes), str(limits.processor_s)]
    child = start_child(
        ["-m", "bot.infra.children.limit_and_run", *allowed, module, *arguments],
        environment=child_environment(thread_limits(1)),
    )
    running = _children.get(set())  # outside a pool nobody asks for them
    running.add(child.process)
    with child.process as process:
        try:
            stdout, stderr = process.communicate(told, timeout=limits.wall_s)
        except subprocess.TimeoutExpired:
            raise OutOfTime from None
        finally:
            _kill(process)
            running.discard(process)
    if process.returncode == -signal.SIGXCPU:
        raise OutOfTime
    # If a child is killed before its time is up, the kernel did it, because the host lacks memory.
    if process.returncode in (OUT_OF_MEMORY, -signal.SIGKILL) or "MemoryError" in stderr[-300:]:
        raise OutOfMemory
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def _kill(process: "subprocess.Popen[str]") -> None:
    """Kill a child and its own children. The thread that started it may still read from it."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


class ChildPool:
    """Threads that wait for children of one kind, and for nothing else.

    Args:
        name: name of the threads.
        at_once: the most children at a time. Servers take turns: a server's second request waits until the
            first request of each other server has begun.
    """

    def __init__(self, name: str, at_once: int) -> None:
        self._executor = ThreadPoolExecutor(at_once, thread_name_prefix=name)
        self._free = at_once
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        # Turns of each server since somebody last had to wait.
        self._turns: Counter[int] = Counter()
        self._children: set[subprocess.Popen[str]] = set()

    async def call(
        self, guild_id: int, function: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs
    ) -> Result:
        """Run a function that starts children, as soon as it is the server's turn.

        If the caller is cancelled, it stops waiting, but a function that has begun runs to its end.
        """
        async with self._turn(guild_id):
            context = contextvars.copy_context()
            context.run(_children.set, self._children)
            ready = functools.partial(context.run, function, *args, **kwargs)
            running = asyncio.get_running_loop().run_in_executor(self._executor, ready)
            return await asyncio.shield(running)

    def close(self) -> None:
        """Kill the children, and drop the waiting requests."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        for child in list(self._children):
            _kill(child)

    @contextlib.asynccontextmanager
    async def _turn(self, guild_id: int) -> AsyncIterator[None]:
        if self._free:
            self._free -= 1
        else:
            called = asyncio.get_running_loop().create_future()
            self._waiting.append((guild_id, called))
            try:
                await called
            except asyncio.CancelledError:
                if not called.cancelled():
                    self._next()
                raise
        self._turns[guild_id] += 1
        try:
            yield
        finally:
            self._next()

    def _next(self) -> None:
        """Start the waiting request whose server has had the fewest turns; among equals the oldest."""
        self._waiting = [entry for entry in self._waiting if not entry[1].done()]
        if not self._waiting:
            self._turns.clear()
            self._free += 1
            return
        entry = min(self._waiting, key=lambda entry: self._turns[entry[0]])
        self._waiting.remove(entry)
        entry[1].set_result(None)
