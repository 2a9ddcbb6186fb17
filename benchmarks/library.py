"""Figures of `textgen`: time to the first character, speed of sampling, loss after a short training."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.figures import Figure
from textgen.benchmark.processes import median_of, peak_megabytes, seconds_to_first_output
from textgen.benchmark.speeds import STREAMS, characters_a_second
from textgen.model import TextModel

_TRAINING_S = 30


def run() -> list[Figure]:
    """Train on Shakespeare for half a minute and measure with that model."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        subprocess.run([sys.executable, "-m", "textgen", "corpus", "shakespeare", folder], check=True)
        figures = [_training(data)]
        model = data / "model"
        sample = ["textgen", "sample", "--model", str(model), "--length", "1"]
        figures += [
            Figure(
                "textgen --help",
                median_of(lambda: seconds_to_first_output(["textgen", "--help"])),
                "s",
                "≤ 0.3",
            ),
            Figure(
                "textgen sample: first character",
                median_of(lambda: seconds_to_first_output(sample)),
                "s",
                "≤ 0.5",
            ),
            Figure("textgen sample: memory", peak_megabytes(sample), "MB", "≤ 100"),
            Figure("sampler process: memory", sampler_megabytes(model), "MB", "≤ 120"),
        ]
        loaded = TextModel.load(model)
        figures += [
            Figure(
                "one stream", median_of(lambda: characters_a_second(loaded, 1), 3), "characters/s", "≥ 20000"
            ),
            Figure(
                f"{STREAMS} streams together",
                median_of(lambda: characters_a_second(loaded, STREAMS), 3),
                "characters/s",
                "≥ 60000",
            ),
        ]
    return figures


def sampler_megabytes(bundle: Path) -> float:
    """Return the largest memory of a sampling process that writes one text, in MB."""
    asked = json.dumps({"id": "1", "bundle": str(bundle), "seed": "The ", "settings": {"length": 200}})
    # The first line says that it is ready, the second one has the text.
    return peak_megabytes(["textgen", "serve"], asked + "\n", lines=2)


def _training(data: Path) -> Figure:
    command = [
        sys.executable,
        "-m",
        "textgen",
        "train",
        "--data-dir",
        str(data),
        "--time-limit",
        str(_TRAINING_S),
    ]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    loss = TextModel.load(data / "model").manifest.validation_loss
    return Figure(f"Shakespeare's tragedies: loss after {_TRAINING_S} s", loss, "nats/character")
