"""kill -9 of a trainer at random points, gone on with each time: the weights of an unkilled one.

The kills come while it imports Keras, while it builds and traces its network, while it takes steps, and while
it writes a checkpoint.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from tests.faults.tools import trainings
from textgen import bundle

MINUTES = 7.0
_CHECKPOINT_S = 0.3
_FORKED = ("building", "steps", "writing")
_MOMENTS = {
    "linear": _FORKED,
    # Only here, because a new interpreter may compile the linear cell, and so round otherwise.
    "lstm": (*_FORKED, "importing", *_FORKED),
}
"""The moments of the kills of a cell, in turn."""
_BUILDING_S = 3.0
_IMPORTING_S = 6.0


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Kill trainings of both cells."""
    # XLA would take seconds of each life; `make bench` kills trainings with it.
    nursery = trainings.Nursery(compiled=False)
    if short:
        yield from _killed(nursery, folder, "lstm", 2, characters=8_000, epochs=4)
        return
    for cell, kills, epochs in (("linear", 30, 15), ("lstm", 70, 30)):
        yield from _killed(nursery, folder, cell, kills, characters=20_000, epochs=epochs)


def _killed(
    nursery: trainings.Nursery, folder: Path, cell: str, kills: int, *, characters: int, epochs: int
) -> Iterator[Figure]:
    data = trainings.lay_out(folder / cell, characters)
    flags = ("--cell", cell, "--num-epochs", str(epochs), "--checkpoint-seconds", str(_CHECKPOINT_S))
    straight = nursery.start(data, *flags, "--output", str(data / "straight"))
    assert straight.wait() == 0, straight.errors
    wanted = bundle.read(data / "straight")
    draw = random.Random(time.time_ns())
    done = differing = 0
    killed = data / "killed"
    while done < kills:
        moment = _MOMENTS[cell][done % len(_MOMENTS[cell])]
        start = trainings.start_cold if moment == "importing" else nursery.start
        training = start(data, *flags, "--resume", "--output", str(killed))
        _wait(training, moment, data / "killed.checkpoint", draw)
        if training.kill() != 0:
            done += 1
            continue
        # It was done before its time came: the next one begins anew.
        differing += _differing(killed, wanted)
        shutil.rmtree(killed)
    last = nursery.start(data, *flags, "--resume", "--output", str(killed))
    assert last.wait() == 0, last.errors
    differing += _differing(killed, wanted)
    left = {path.name for path in data.iterdir()} - {"input.txt", "straight", "killed"}
    yield Figure(f"{cell}: weights and steps that differ after {done} × kill -9", differing, "", "≤ 0")
    yield Figure(f"{cell}: files left beside the bundle", len(left), "", "≤ 0")


def _differing(made: Path, wanted: bundle.Bundle) -> int:
    """Return how many weights and steps of a bundle are not those wanted."""
    found = bundle.read(made)
    weights = sum(int((found.weights[name] != wanted.weights[name]).sum()) for name in wanted.weights)
    return weights + abs(found.manifest.steps - wanted.manifest.steps)


def _wait(training: trainings.Process, moment: str, checkpoint: Path, draw: random.Random) -> None:
    """Wait for a random point of a kind."""
    longest_s = {"importing": _IMPORTING_S, "building": _BUILDING_S}.get(moment)
    if longest_s is not None:
        time.sleep(draw.uniform(0, longest_s))
        return
    before = _written(checkpoint)
    while training.running and _written(checkpoint) == before:
        time.sleep(0.005)
    time.sleep(draw.uniform(0, 3 * _CHECKPOINT_S))
    if moment == "writing":
        deadline = time.monotonic() + 5
        while training.running and time.monotonic() < deadline and not _being_written(checkpoint):
            time.sleep(0.0005)


def _being_written(checkpoint: Path) -> bool:
    try:
        return any(path.suffix == ".tmp" for path in checkpoint.iterdir())
    except FileNotFoundError:  # the training has ended
        return False


def _written(checkpoint: Path) -> int:
    try:
        return max((path.stat().st_mtime_ns for path in checkpoint.glob("*.safetensors")), default=0)
    except FileNotFoundError:
        return 0
