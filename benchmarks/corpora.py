"""Figures of corpora of 1, 10 and 100 MB: speed and memory of their preparation, and the time of a batch.

Each corpus is prepared in a process of its own, because the memory peak of a process never falls.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

from benchmarks.figures import Figure
from textgen.corpus import shakespeare

_SIZES_MB = (1, 10, 100)
_VARIED_LINES = 2_000
_TRAINING_S = 40

_PREPARE = """
import json, sys, time
from pathlib import Path
from textgen.corpus.reading.sources import find
from textgen.training.data.strips import Strips
from textgen.settings.training import TrainingSettings
from textgen.training.data.preparation import prepare
from textgen.training.data.token_cache import TokenCache

def peak():
    # Not getrusage: its maximum includes the memory of the parent process before the fork.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024

folder, cache = Path(sys.argv[1]), TokenCache(Path(sys.argv[1]) / "cache")
settings = TrainingSettings.from_flags(pristine_input=True)
imported = peak()
begun = time.perf_counter()
made = prepare(find(folder), settings, cache=cache)
taken = time.perf_counter() - begun
prepared = peak() - imported
begun = time.perf_counter()
made = prepare(find(folder), settings, cache=cache)
again = time.perf_counter() - begun

strips = Strips(made.training, settings.batch_size, settings.seq_length, settings.seq_step)
# Whole epochs in order. A small corpus gets more epochs, so that every corpus makes about as many batches.
wanted = 100_000
epochs = max(1, round(wanted / strips.batches))
best = float("inf")
for _ in range(3):
    begun = time.perf_counter()
    for _ in range(epochs):
        for index in range(strips.batches):
            strips.windows(index, 3)
    best = min(best, time.perf_counter() - begun)
a_character = best / epochs / strips.batches / settings.batch_size / settings.seq_length
print(json.dumps({
    "seconds": taken, "again_s": again, "prepared_mb": prepared, "batches_mb": peak() - imported,
    "nanoseconds": a_character * 1e9,
}))
"""


def run() -> list[Figure]:
    """Prepare three corpora and make batches of them."""
    figures = []
    measured = {}
    for megabytes in _SIZES_MB:
        with tempfile.TemporaryDirectory(prefix="textgen-bench-") as folder:
            size = _write_varied(Path(folder) / "input.txt", megabytes * 1_000_000) / 1e6
            command = [sys.executable, "-c", _PREPARE, folder]
            told = measured[megabytes] = json.loads(
                subprocess.run(command, capture_output=True, check=True).stdout
            )
            if megabytes in (_SIZES_MB[0], _SIZES_MB[-1]):
                told |= _trained(Path(folder))
        speed, memory = ("≥ 10", "≤ 300") if megabytes == _SIZES_MB[-1] else ("", "")
        figures += [
            Figure(f"corpus of {megabytes} MB: prepared", size / told["seconds"], "MB/s", speed),
            Figure(f"corpus of {megabytes} MB: memory above the imports", told["prepared_mb"], "MiB", memory),
            Figure(f"corpus of {megabytes} MB: taken from the cache", told["again_s"], "s"),
            Figure(f"corpus of {megabytes} MB: a batch, per character", told["nanoseconds"], "ns"),
        ]
    small, large = measured[_SIZES_MB[0]], measured[_SIZES_MB[-1]]
    figures += [
        Figure("batches, 100 MB to 1 MB: time", large["nanoseconds"] / small["nanoseconds"], "×", "≤ 1.1"),
        Figure("batches, 100 MB to 1 MB: memory", large["batches_mb"] - small["batches_mb"], "MiB", "≤ 300"),
        Figure("training, 100 MB to 1 MB: time of a step", large["step_s"] / small["step_s"], "×", "≤ 1.1"),
        Figure(
            "training, 100 MB to 1 MB: memory", large["training_mb"] - small["training_mb"], "MiB", "≤ 300"
        ),
    ]
    return figures


def _trained(folder: Path) -> dict[str, float]:
    """Train for a while, and return the seconds of a step and the largest memory."""
    command = [sys.executable, "-m", "textgen", "train", "--data-dir", str(folder), "--pristine-input"]
    command += ["--cache-dir", str(folder / "cache"), "--time-limit", str(_TRAINING_S), "--events"]
    script = (
        "import resource, subprocess, sys\n"
        "sys.stdout.write(subprocess.run(sys.argv[1:], check=True, capture_output=True, text=True).stdout)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, *command], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    paces = [event for event in map(json.loads, told[:-1]) if event["event"] == "progress"]
    taken = [
        (later["elapsed_s"] - earlier["elapsed_s"]) / (later["step"] - earlier["step"])
        for earlier, later in pairwise(paces)
    ]
    # The median ignores the steps that waited for a validation.
    return {"step_s": statistics.median(taken), "training_mb": int(told[-1]) / 1024}


def _write_varied(path: Path, size: int) -> int:
    """Write Shakespeare's plays again and again, each time from another line; return the bytes."""
    draw = random.Random(1)
    lines = "\n".join(shakespeare.plays("all")).split("\n")
    written = 0
    with path.open("wb") as target:
        while written < size:
            first = draw.randrange(len(lines) - _VARIED_LINES)
            block = "\n".join(lines[first : first + _VARIED_LINES])
            written += target.write(
                f"Scene {draw.randrange(10**6)}\n\n{block}\n\n".encode()[: size - written]
            )
    return written
