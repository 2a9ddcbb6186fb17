"""One measured figure, and how figures of whole processes are taken."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

RUNS = 5
BUNDLE_TRAINING_S = 15


class Figure(NamedTuple):
    """A measured value beside what it ought to be.

    Attributes:
        name: what was measured.
        value: the measured number.
        unit: of the value and the bound.
        bound: as "≤ 0.5", or "" where there is none.
    """

    name: str
    value: float
    unit: str
    bound: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bound holds, or None without one."""
        if not self.bound:
            return None
        relation, limit = self.bound.split()
        return self.value <= float(limit) if relation == "≤" else self.value >= float(limit)


def median_of(measure: Callable[[], float], runs: int = RUNS) -> float:
    """Return the median of several measurements."""
    return statistics.median(measure() for _ in range(runs))


def seconds_to_first_output(arguments: Sequence[str], stdin: str = "") -> float:
    """Return the seconds from starting `python -m …` to its first character on standard output."""
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

    It runs below a process of its own, because the operating system only tells the largest of all
    finished children.
    """
    script = (
        "import resource, subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', *sys.argv[1:]], input=sys.stdin.buffer.read(),\n"
        "               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-c", script, *arguments]
    told = subprocess.run(command, input=stdin.encode(), capture_output=True, check=True).stdout
    return int(told) / 1024


def trained_bundle(root: Path) -> Path:
    """Return a model trained for `BUNDLE_TRAINING_S` below ``root``, beside its corpus (Shakespeare)."""
    data, bundle = root / "corpus", root / "bundle"
    subprocess.run([sys.executable, "-m", "textgen", "corpus", "shakespeare", str(data)], check=True)
    command = ["-m", "textgen", "train", "--data-dir", str(data), "--output", str(bundle), "--events"]
    command += ["--time-limit", str(BUNDLE_TRAINING_S)]
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    return bundle
