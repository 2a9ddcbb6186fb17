"""Estimates when queued trainings will begin, from the time limits of those before them. Pure."""

import heapq
from collections.abc import Iterable, Sequence

from models import TrainingJob


def remaining_s(job: TrainingJob) -> float:
    """Return the remaining time of a running training, in seconds."""
    return job.minutes * 60 * (1 - job.fraction) if job.eta_s is None else job.eta_s


def waits_s(running: Iterable[TrainingJob], waiting: Sequence[TrainingJob]) -> dict[str, float]:
    """Return the expected wait of each queued job, in seconds by job id, if as many keep running at a time.

    Args:
        running: the jobs that run now.
        waiting: the queued jobs, in the order in which they will run.
    """
    hosts = [remaining_s(job) for job in running] or [0.0]
    heapq.heapify(hosts)
    waits = {}
    for job in waiting:
        waits[job.id] = heapq.heappop(hosts)
        heapq.heappush(hosts, waits[job.id] + job.minutes * 60)
    return waits
