"""The cores that this process may use."""

from __future__ import annotations

import os


def usable() -> int:
    """Return the number of cores that this process may use.

    ``OMP_NUM_THREADS`` limits it, as it does for other numeric software.
    """
    # On Linux a container may have fewer cores than the host.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, max(1, int(limit))) if limit.isascii() and limit.isdecimal() else cores
