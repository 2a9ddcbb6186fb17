"""A short training in a process of its own, and what its events tell of its speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from textgen import bundle
from textgen.benchmark.processes import megabytes
from textgen.errors import TrainingError

_LOAD = "from textgen.training import backend; backend.load()"


def seconds_of_import() -> float:
    """Return how long a process takes to load Keras and its backend; a training tells why it cannot."""
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", _LOAD], check=False, stderr=subprocess.DEVNULL)
    return time.monotonic() - begun


def measure(data_dir: Path, seconds: float) -> dict[str, Any]:
    """Train on a folder for so many seconds and return the figures under their names in `report`.

    Raises:
        TrainingError: the training failed; the message is its own.
    """
    command = ["textgen", "train", "--data-dir", str(data_dir), "--time-limit", str(seconds), "--events"]
    process = subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None  # noqa: S101 -- it is a pipe
    with process.stdout:
        told = [(time.monotonic(), json.loads(line)) for line in process.stdout]
    # Not the children's maximum, which the greatest of all would be.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    events = {event["event"]: event for _, event in told}
    if "finished" not in events:
        raise TrainingError(events.get("failed", {}).get("error", "the training ended without a result"))
    manifest = bundle.read_manifest(Path(events["finished"]["bundle"]))
    tokens = manifest.settings["batch_size"] * manifest.settings["seq_length"]
    at = {event["event"]: at for at, event in reversed(told)}
    reports = [(at, event["step"]) for at, event in told if event["event"] == "progress"]
    if len(reports) < 2:
        # So short a training has no middle: all of it counts.
        reports = [(at["started"], 0), (at["finished"], manifest.steps)]
    (first, before), (last, after) = reports[0], reports[-1]
    a_step = (last - first) / max(1, after - before)
    return {
        "device": events["started"]["device"],
        "first_step_s": max(0.0, first - at["started"] - a_step * (before - 1)),
        "tokens_s": tokens / a_step,
        "training_s": seconds,
        "loss": manifest.validation_loss,
        "training_mb": megabytes(usage.ru_maxrss),
    }
