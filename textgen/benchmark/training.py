"""Runs a training in a separate process and computes its speed from its events."""

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
    """The figures of a training that ended without an error.

    Attributes:
        manifest: the manifest of its bundle.
        device: what it ran on, for example "cpu".
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
    """Return the seconds that a process takes to load Keras and its backend.

    A failure is ignored: the training that follows reports it.
    """
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", _LOAD], check=False, stderr=subprocess.DEVNULL)
    return time.monotonic() - begun


def run(flags: Sequence[str]) -> Run:
    """Run `textgen train` with the given flags until it ends.

    Raises:
        TrainingError: it failed, with its own message.
    """
    command = [sys.executable, "-m", "textgen", "train", "--events", *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None  # noqa: S101 -- both are pipes
    assert process.stderr is not None  # noqa: S101
    with process.stdout, process.stderr:
        told = [(time.monotonic(), json.loads(line)) for line in process.stdout]
        said = process.stderr.read().splitlines()
    # The usage of this child alone; RUSAGE_CHILDREN is the maximum over all children.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or not told or told[-1][1]["event"] != "finished":
        raise TrainingError(said[-1].removeprefix("error: ") if said else "the training ended without a word")
    return _figures(told, megabytes(usage.ru_maxrss))


def _figures(told: list[tuple[float, dict[str, Any]]], memory_mb: float) -> Run:
    """Return the figures that follow from the events, each with the time at which it was received."""
    events = {event["event"]: event for _, event in told}
    at = {event["event"]: at for at, event in told if event["event"] in ("started", "finished")}
    manifest = bundle.read_manifest(Path(events["finished"]["bundle"]))
    tokens = manifest.settings["batch_size"] * manifest.settings["seq_length"]
    reports = [(at, event["step"]) for at, event in told if event["event"] == "progress"]
    if len(reports) < 2:
        # The training was too short for progress reports: measure it from start to end.
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
