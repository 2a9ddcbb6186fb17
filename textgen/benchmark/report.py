"""All figures of this machine, measured in about a minute: one number for each key, and its label."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from textgen import __version__
from textgen.benchmark import corpus, training
from textgen.benchmark.processes import median_of, peak_megabytes, seconds_to_first_output
from textgen.training import backend

TRAINING_S = 25.0


class Row(NamedTuple):
    """The label of a figure."""

    name: str
    unit: str


ROWS = {
    "start_s": Row("a sample's first character after", "s"),
    "sample_mb": Row("memory of a sampling process", "MB"),
    "characters_s_one": Row("one text alone", "characters/s"),
    "characters_s_32": Row("32 texts together", "characters/s"),
    "gemm_float32_gflops": Row("matrix product, 32 bits, one core", "GFLOP/s"),
    "gemm_float64_gflops": Row("matrix product, 64 bits, one core", "GFLOP/s"),
    "memory_gb_s": Row("reading memory, one core", "GB/s"),
    "import_s": Row("loading Keras", "s"),
    "first_step_s": Row("a training's first step, compiling included", "s"),
    "tokens_s": Row("training after that", "tokens/s"),
    "training_mb": Row("memory of a training", "MB"),
    "training_s": Row("time limit of the training", "s"),
    "loss": Row("validation loss at its end", "nats"),
}
"""The figures' keys. Those besides are texts: ``textgen``, ``python``, ``machine``, ``cores`` (a number),
``device`` (what trains) and ``corpus`` ("shakespeare" or "generated")."""


def measure(training_s: float = TRAINING_S, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Measure everything.

    Args:
        training_s: time limit of the training in seconds, from start to saved bundle.
        tell: receives a few words about each measurement when it starts.

    Returns:
        A value for each key of `ROWS`, and the texts named there.

    Raises:
        MissingPackageError: Keras is not installed.
        TrainingError: the training failed.
    """
    backend.require()
    told: dict[str, Any] = {
        "textgen": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count() or 1,
    }
    with tempfile.TemporaryDirectory(prefix="textgen-benchmark-") as folder:
        data, model = Path(folder), Path(folder) / "model"
        told["corpus"] = corpus.write(data)
        tell("loading Keras")
        told["import_s"] = training.seconds_of_import()
        tell(f"training for {training_s:g} s")
        told |= _training(data, training_s)
        tell("starting to write")
        sample = ["textgen", "sample", "--model", str(model), "--length", "1"]
        told["start_s"] = median_of(lambda: seconds_to_first_output(sample))
        told["sample_mb"] = peak_megabytes(sample)
        tell("writing")
        told |= _speeds(model)
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in told.items()}


def lines(figures: dict[str, Any]) -> list[str]:
    """Return a report as lines of text."""
    head = (
        f"textgen {figures['textgen']}, Python {figures['python']}, {figures['cores']} cores "
        f"{figures['machine']}, trains on {figures['device']}, corpus {figures['corpus']}"
    )
    width = max(len(row.name) for row in ROWS.values())
    return [
        head,
        *(f"{row.name:<{width}}  {_shown(figures[key]):>8} {row.unit}" for key, row in ROWS.items()),
    ]


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _training(data: Path, seconds: float) -> dict[str, Any]:
    """Return the figures of a training of the default network with a time limit of ``seconds``."""
    run = training.run(["--data-dir", str(data), "--time-limit", str(seconds)])
    return {
        "device": run.device,
        "first_step_s": run.first_step_s,
        "tokens_s": run.tokens_s,
        "training_mb": run.memory_mb,
        "training_s": seconds,
        "loss": run.manifest.validation_loss,
    }


def _speeds(model: Path) -> dict[str, float]:
    """Return the speeds of a process with one thread, like a sampler."""
    command = [sys.executable, "-m", "textgen.benchmark.speeds", str(model)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, check=True, capture_output=True)
    return dict(json.loads(done.stdout))
