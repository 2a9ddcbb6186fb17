"""Trainings of every level in a network namespace with no way out: they need none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from tests.faults.tools import needs, trainings
from textgen.levels import LEVELS

MINUTES = 1.0
NEEDS = (needs.no_network,)
_LEVELS = tuple(LEVELS)


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Train, sample and evaluate."""
    data = trainings.lay_out(folder / "data", 60_000)
    failed = []
    limits = ("--preset", "tiny", "--time-limit", "1" if short else "20")
    # A training of one second has no time for Keras and keeps what counting alone reaches.
    for level in _LEVELS[:1] if short else _LEVELS:
        model = str(folder / level)
        for words in (
            ("train", "--input", str(data / "input.txt"), "--output", model, "--level", level, *limits),
            ("sample", "--model", model, "--length", "50", "--random-seed", "1"),
            ("evaluate", "--model", model, str(data / "input.txt")),
        ):
            done = subprocess.run(
                ["unshare", "-n", sys.executable, "-m", "textgen", *words],
                capture_output=True,
                text=True,
                env=os.environ | trainings.ONE_THREAD,
                check=False,
            )
            if done.returncode or not done.stdout.strip():
                failed.append(f"{words[0]} {level}: {done.stderr[-500:]}")
    print("\n".join(failed))
    yield Figure("trainings, samples and evaluations that fail without a network", len(failed), "", "≤ 0")
