"""Figures of whole processes: the time until the first character, and the memory."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

RUNS = 5


def median_of(measure: Callable[[], float], runs: int = RUNS) -> float:
    """Return the median of several measurements."""
    return statistics.median(measure() for _ in range(runs))


def seconds_to_first_output(arguments: Sequence[str], stdin: str = "") -> float:
    """Return the seconds from the start of `python -m …` to its first character on standard output."""
    begun = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None  # noqa: S101 -- both are pipes
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(stdin.encode())
        process.stdin.close()
        process.stdout.read(1)
        taken = time.monotonic() - begun
        process.stdout.read()
    return taken


def peak_megabytes(arguments: Sequence[str], stdin: str = "") -> float:
    """Return the largest resident memory of a finished `python -m …`, in MB.

    It runs as the child of a separate process, because the operating system only reports the maximum over
    all finished children.
    """
    script = (
        "import resource, subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', *sys.argv[1:]], input=sys.stdin.buffer.read(),\n"
        "               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-c", script, *arguments]
    told = subprocess.run(command, input=stdin.encode(), capture_output=True, check=True).stdout
    return megabytes(int(told))


def megabytes(maximum_resident: int) -> float:
    """Return ``ru_maxrss`` in MB: macOS counts it in bytes, other systems in KiB."""
    return maximum_resident / (1 << 20 if sys.platform == "darwin" else 1 << 10)
