"""Trainings of every level in a network namespace with no way out: they need none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from tests.faults.harness import told_by_child
from tests.faults.tools import needs, trainings
from textgen.levels import LEVELS

MINUTES = 1.0
NEEDS = (needs.no_network,)
_LEVELS = tuple(LEVELS)


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Train, sample and evaluate in a process that has no network."""
    failed = told_by_child("no_network", folder, short=short, under=("unshare", "-n"))
    print("\n".join(failed))
    yield Figure("trainings, samples and evaluations that fail without a network", len(failed), "", "≤ 0")


def _failures(folder: Path, *, short: bool) -> list[str]:
    """Return what fails, with its words."""
    data = trainings.lay_out(folder / "data", 60_000)
    # A training of one second has no time for Keras and keeps what counting alone reaches.
    start = trainings.start_cold if short else trainings.Nursery().start
    limit = ("--time-limit", "1") if short else ("--num-epochs", "1")
    failed = []
    for level in _LEVELS[:1] if short else _LEVELS:
        model = folder / level
        training = start(data, "--output", str(model), "--level", level, *limit)
        if training.wait() or training.events[-1]["event"] != "finished":
            failed.append(f"train {level}: {training.errors[-500:]}")
        for words in (
            ("sample", "--model", str(model), "--length", "50", "--random-seed", "1"),
            ("evaluate", "--model", str(model), str(data / "input.txt")),
        ):
            done = subprocess.run(
                [sys.executable, "-m", "textgen", *words],
                capture_output=True,
                text=True,
                env=os.environ | trainings.ONE_THREAD,
                check=False,
            )
            if done.returncode or not done.stdout.strip():
                failed.append(f"{words[0]} {level}: {done.stderr[-500:]}")
    return failed


if __name__ == "__main__":
    print(json.dumps(_failures(Path(sys.argv[1]), short=sys.argv[2] == "short")))
