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


def seconds_to_first_output(arguments: Sequence[str]) -> float:
    """Return the seconds from the start of `python -m …` to its first character on standard output.

    Raises:
        CalledProcessError: the program failed, so the time says nothing.
    """
    command = [sys.executable, "-m", *arguments]
    begun = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None  # noqa: S101 -- it is a pipe
        process.stdout.read(1)
        taken = time.monotonic() - begun
        process.stdout.read()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return taken


def peak_megabytes(arguments: Sequence[str], stdin: str = "", lines: int = 0) -> float:
    """Return the largest resident memory of a finished `python -m …`, in MB.

    It runs as the child of a separate process, because the operating system only reports the maximum over
    all finished children.

    Args:
        arguments: what follows `python -m`.
        stdin: the program's standard input.
        lines: lines of output after which the standard input ends, for a program that its end stops.

    Raises:
        CalledProcessError: the program failed, ended before it had written so many lines, or told an error.
    """
    script = (
        "import resource, subprocess, sys\n"
        "text, lines, *command = sys.argv[1:]\n"
        "child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,\n"
        "                         stderr=subprocess.DEVNULL)\n"
        "child.stdin.write(text.encode())\n"
        "child.stdin.flush()\n"
        "told = [child.stdout.readline() for _ in range(int(lines))]\n"
        "child.communicate()\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
        "sys.exit(child.returncode or not all(told) or any(b'\"error\"' in line for line in told))"
    )
    program = [sys.executable, "-m", *arguments]
    command = [sys.executable, "-c", script, stdin, str(lines), *program]
    told = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return megabytes(int(told))


def megabytes(maximum_resident: int) -> float:
    """Return ``ru_maxrss`` in MB: macOS counts it in bytes, other systems in KiB."""
    return maximum_resident / (1 << 20 if sys.platform == "darwin" else 1 << 10)
