"""The tests that take long, which `make test` leaves out: whole trainings, restarts, every zone and sign."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from tests.faults.harness import ROOT

BY_NAME_ONLY = True
"""They inject nothing: the whole run is of faults, and these tests are run before a change lands."""

LIMIT_S = 3_600
"""They take a quarter of an hour on two free cores, and a CI machine may be three times slower."""


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Run every test that is marked as slow, and print what pytest says of those that fail."""
    del short
    # The tests of a file share what takes long to make, so one process runs them all.
    lanes = ("-n", "2", "--dist", "loadfile")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "slow", "-q", *lanes, "--basetemp", str(folder / "tests")],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    told = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|errors?)\b", done.stdout)}
    failed = sum(number for word, number in told.items() if word != "passed")
    yield Figure("slow tests that pass", told.get("passed", 0), "", "≥ 1")
    yield Figure("slow tests that fail", failed or int(done.returncode != 0), "", "≤ 0")
    if done.returncode != 0:
        raise AssertionError(done.stdout[-2_500:] + done.stderr[-500:])
