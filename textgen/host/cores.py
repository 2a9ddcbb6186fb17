"""The cores that this process may use."""

from __future__ import annotations

import os


def usable() -> int:
    """Return the number of cores that this process may use."""
    # On Linux a container may have fewer cores than the host.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def for_threads() -> int:
    """Return the number of cores that one process may compute on at once.

    ``OMP_NUM_THREADS`` limits it, as it does for other numeric software.
    """
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(usable(), max(1, int(limit))) if limit.isascii() and limit.isdecimal() else usable()
