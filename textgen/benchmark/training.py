"""A training in a process of its own, and what its events tell of its speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textgen import bundle
from textgen.benchmark.processes import megabytes
from textgen.errors import TrainingError

_LOAD = "from textgen.training import backend; backend.load()"


@dataclass(frozen=True, slots=True)
class Run:
    """A training that has ended well.

    Attributes:
        manifest: what its bundle says of it.
        device: what it was computed on.
        first_step_s: seconds from the built network to the end of the first step, mostly compiling.
        tokens_s: tokens trained a second after that, validations included.
        memory_mb: largest resident memory of the process, in MB.
        device_mb: largest memory taken on the GPU, or None without one.
    """

    manifest: bundle.Manifest
    device: str
    first_step_s: float
    tokens_s: float
    memory_mb: float
    device_mb: float | None


def seconds_of_import() -> float:
    """Return how long a process takes to load Keras and its backend; a training tells why it cannot."""
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", _LOAD], check=False, stderr=subprocess.DEVNULL)
    return time.monotonic() - begun


def run(flags: Sequence[str]) -> Run:
    """Run `textgen train` with some flags to its end.

    Raises:
        TrainingError: it failed; the message is its own.
    """
    command = [sys.executable, "-m", "textgen", "train", "--events", *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None  # noqa: S101 -- both are pipes
    assert process.stderr is not None  # noqa: S101
    with process.stdout, process.stderr:
        told = [(time.monotonic(), json.loads(line)) for line in process.stdout]
        said = process.stderr.read().splitlines()
    # Not the children's maximum, which the greatest of all would be.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or not told or told[-1][1]["event"] != "finished":
        raise TrainingError(said[-1].removeprefix("error: ") if said else "the training ended without a word")
    return _figures(told, megabytes(usage.ru_maxrss))


def _figures(told: list[tuple[float, dict[str, Any]]], memory_mb: float) -> Run:
    """Return what the events, each with the time when it came, tell."""
    events = {event["event"]: event for _, event in told}
    at = {event["event"]: at for at, event in told if event["event"] in ("started", "finished")}
    manifest = bundle.read_manifest(Path(events["finished"]["bundle"]))
    tokens = manifest.settings["batch_size"] * manifest.settings["seq_length"]
    reports = [(at, event["step"]) for at, event in told if event["event"] == "progress"]
    if len(reports) < 2:
        # So short a training has no middle: all of it counts.
        reports = [(at["started"], 0), (at["finished"], manifest.steps)]
    (first, before), (last, after) = reports[0], reports[-1]
    a_step = (last - first) / max(1, after - before)
    return Run(
        manifest,
        events["started"]["device"],
        max(0.0, first - at["started"] - a_step * (before - 1)),
        tokens / a_step,
        memory_mb,
        events["finished"]["device_mb"],
    )
