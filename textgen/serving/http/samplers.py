"""The engines of the service, one process for each core: a step of one model uses a single core."""

from __future__ import annotations

import asyncio

from textgen.serving.http.sampler import Sampler


class Samplers:
    """Several sampling processes, and the choice of one for each request."""

    def __init__(self, size: int) -> None:
        """Start without a process.

        Args:
            size: number of processes, 1 or more.
        """
        self.all = tuple(Sampler() for _ in range(size))

    @property
    def open_requests(self) -> int:
        """Number of texts that the processes have not answered yet."""
        return sum(sampler.open_requests for sampler in self.all)

    def least_busy(self) -> Sampler:
        """Return the process with the fewest open texts; any of them writes the same text."""
        return min(self.all, key=lambda sampler: sampler.open_requests)

    async def close(self) -> None:
        """End the processes."""
        await asyncio.gather(*(sampler.close() for sampler in self.all))
