"""When the trainings in the queue will begin, reckoned from the minutes of those before. Pure."""

import heapq
from collections.abc import Iterable, Sequence

from models import TrainingJob


def remaining_s(job: TrainingJob) -> float:
    """Seconds that a running training still takes."""
    return job.minutes * 60 * (1 - job.fraction) if job.eta_s is None else job.eta_s


def waits_s(running: Iterable[TrainingJob], waiting: Sequence[TrainingJob]) -> dict[str, float]:
    """How long each waiting job waits, by its id, if as many are trained at a time as are now.

    Args:
        running: what is trained now.
        waiting: in the order of their turns.
    """
    hosts = [remaining_s(job) for job in running] or [0.0]
    heapq.heapify(hosts)
    waits = {}
    for job in waiting:
        waits[job.id] = heapq.heappop(hosts)
        heapq.heappush(hosts, waits[job.id] + job.minutes * 60)
    return waits
