"""Tasks beside each other, one a target: what holds one target up holds up no other.

A target is what Discord limits by itself: a channel. Knows nothing of what the tasks do.
"""

import asyncio
from collections.abc import Collection, Coroutine, Hashable
from typing import Any

import structlog

log = structlog.stdlib.get_logger(__name__)


class Lanes:
    """Runs one task a target at a time.

    Args:
        most: tasks of all targets at a time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}

    @property
    def busy(self) -> Collection[Hashable]:
        """Targets that have a task."""
        return self._tasks.keys()

    def is_free(self, target: Hashable) -> bool:
        """Whether a task for the target can begin now."""
        return target not in self._tasks and len(self._tasks) < self._most

    def start(self, target: Hashable, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Begin a task for a free target; an error that it raises is logged and ends it alone."""
        task = self._tasks[target] = asyncio.create_task(_logged(target, work))

        def ended(_task: "asyncio.Task[None]") -> None:
            work.close()  # of a task that was cancelled before it began
            self._tasks.pop(target, None)

        task.add_done_callback(ended)
        return task

    async def close(self) -> None:
        """End all tasks where they are."""
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
    """Wait for tasks for so long; those that take longer go on."""
    if tasks:
        await asyncio.wait(tasks, timeout=patience_s)
