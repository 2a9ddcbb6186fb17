"""Runs one task per target at a time, so that a slow target does not delay another one.

A target has a rate limit of its own, such as a channel. Knows nothing of what the tasks do.
"""

import asyncio
from collections.abc import Collection, Coroutine, Hashable
from typing import Any

import structlog

log = structlog.stdlib.get_logger(__name__)


class Lanes:
    """Runs one task per target at a time.

    Args:
        most: the most tasks at a time, over all targets.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}

    @property
    def busy(self) -> Collection[Hashable]:
        """The targets that have a running task."""
        return self._tasks.keys()

    def is_free(self, target: Hashable) -> bool:
        """Whether a task for the target can start now."""
        return target not in self._tasks and len(self._tasks) < self._most

    def start(self, target: Hashable, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Start a task for a free target; an error in it is logged, and ends only this task."""
        task = self._tasks[target] = asyncio.create_task(_logged(target, work))

        def ended(_task: "asyncio.Task[None]") -> None:
            work.close()  # if the task was cancelled before it began
            self._tasks.pop(target, None)

        task.add_done_callback(ended)
        return task

    async def close(self) -> None:
        """Cancel all tasks."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _logged(target: Hashable, work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception as error:
        log.error("a task failed unexpectedly", target=target, exc_info=error)


async def patiently(tasks: Collection["asyncio.Task[None]"], patience_s: float) -> None:
    """Wait up to `patience_s` seconds for tasks; slower ones continue in the background."""
    if tasks:
        await asyncio.wait(tasks, timeout=patience_s)
