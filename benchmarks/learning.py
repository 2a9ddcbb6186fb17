"""How fast and how well `textgen train` learns, compared with keras-text-generation on the same machine.

The corpora are the folders in the folder that the environment variable ``DATA`` names, each with
``input.txt`` and ``validate.txt``. Without it Shakespeare's tragedies stand in. A corpus whose name begins
with ``ancestor`` is read in lower case, as keras-text-generation did, and measured against its losses.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from textgen.evaluation import random_windows, stateful_pass
from textgen.model import TextModel

BUDGETS_S = (30, 60, 180)
CLASSIC_S = 25

# Epochs → loss of keras-text-generation on its own corpus, in nats per character.
ANCESTOR_LOSSES = {3: 1.651, 5: 1.533, 10: 1.429}
# Seconds of an epoch of the original on two cores, measured once (9,800 characters per second).
ANCESTOR_EPOCH_S = 228.0
_RATIOS = {3: 25, 5: 35, 10: 50}


def run() -> list[Figure]:
    """Train on every corpus within every budget."""
    figures: list[Figure] = []
    with corpora() as folders:
        for folder in folders:
            figures += _budgets(folder)
            if folder.name.startswith("ancestor"):
                figures += _against_the_ancestor(folder)
    return figures


@contextmanager
def corpora() -> Iterator[list[Path]]:
    """Give the folders to train on."""
    given = os.environ.get("DATA")
    if given:
        yield sorted(path.parent for path in Path(given).glob("*/input.txt"))
        return
    with tempfile.TemporaryDirectory() as folder:
        plays = Path(folder) / "tragedies"
        subprocess.run([sys.executable, "-m", "textgen", "corpus", "shakespeare", str(plays)], check=True)
        yield [plays]


def train(corpus: Path, output: Path, *flags: str) -> list[dict[str, Any]]:
    """Train at the shell and return the events."""
    command = [sys.executable, "-m", "textgen", "train", "--data-dir", str(corpus), "--output", str(output)]
    if not corpus.name.startswith("ancestor"):
        command.append("--pristine-input")
    told = subprocess.run(
        [*command, "--events", "--no-cache", *flags], check=True, capture_output=True, text=True
    ).stdout
    return [json.loads(line) for line in told.splitlines()]


def losses(corpus: Path, *flags: str) -> tuple[float, float, float]:
    """Train, and return the loss of a stateful pass, that of windows of 256, and the seconds taken."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "model"
        train(corpus, output, *flags)
        model = TextModel.load(output)
        text = (corpus / "validate.txt").read_text(encoding="utf-8")
        passed = stateful_pass(model, text).nats_per_character
        windows = random_windows(model, text, window=256, windows=400).nats_per_character
        return passed, windows, model.manifest.seconds


def _budgets(corpus: Path) -> list[Figure]:
    figures = []
    for budget in BUDGETS_S:
        bounds = {("karpathy-shakespeare", 180): ("≤ 1.5", "≤ 1.52")}.get((corpus.name, budget), ("", ""))
        passed, windows, seconds = losses(corpus, "--time-limit", str(budget))
        name = f"{corpus.name}, {budget} s"
        figures += [
            Figure(f"{name}: stateful pass", passed, "nats/character", bounds[0]),
            Figure(f"{name}: windows of 256", windows, "nats/character", bounds[1]),
            Figure(f"{name}: time taken of the limit", seconds / budget, "", "≤ 1.05"),
        ]
    return figures


def _against_the_ancestor(corpus: Path) -> list[Figure]:
    """Return how many times faster the default reaches the losses of `--preset classic`."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "model"
        told = train(corpus, output, "--preset", "classic", "--time-limit", str(CLASSIC_S))
        steps = [event for event in told if event["event"] == "progress"][1:]
        pace = (steps[-1]["elapsed_s"] - steps[0]["elapsed_s"]) / (steps[-1]["step"] - steps[0]["step"])
        epoch = pace * _classic_batches(corpus)
        taken = [_seconds_to(corpus, Path(folder) / "fast", loss) for loss in ANCESTOR_LOSSES.values()]
    figures = [Figure("an epoch of --preset classic", epoch, "s")]
    for (epochs, loss), seconds in zip(ANCESTOR_LOSSES.items(), taken, strict=True):
        figures += [
            Figure(f"saved model at {loss} or below: after", seconds, "s"),
            Figure(
                f"{epochs} epochs of --preset classic: times that",
                epoch * epochs / seconds,
                "×",
                f"≥ {_RATIOS[epochs]}",
            ),
            Figure(f"{epochs} epochs of the original: times that", ANCESTOR_EPOCH_S * epochs / seconds, "×"),
        ]
    return figures


def _classic_batches(corpus: Path) -> int:
    tokens = len((corpus / "input.txt").read_text(encoding="utf-8"))
    return sum((tokens - 1 - offset) // 50 for offset in (0, 25)) // 32


def _seconds_to(corpus: Path, output: Path, loss: float) -> float:
    """Return the median time from the start of a process to a saved model with that loss on the whole text.

    It tries time limits from short to long, and takes the first that is enough.
    """
    for limit in (1, 6, 8, 10, 12, 15, 20, 25, 30):
        seconds = []
        for seed in (1, 2, 3):
            told = train(corpus, output, "--time-limit", str(limit), "--random-seed", str(seed))[-1]
            if told["validation_loss"] > loss:
                break
            seconds.append(TextModel.load(output).manifest.seconds)
        if len(seconds) == 3:
            return statistics.median(seconds)
    return float("inf")


def main() -> None:
    """Print median, mean and spread over random seeds: ``python -m benchmarks.learning SECONDS [SEEDS]``."""
    budget, seeds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with corpora() as folders:
        for folder in folders:
            found = [
                losses(folder, "--time-limit", budget, "--random-seed", str(1 + seed))
                for seed in range(seeds)
            ]
            for name, values in zip(
                ("stateful pass", "windows of 256"), zip(*found, strict=True), strict=False
            ):
                middle = f"median {statistics.median(values):.4f}, mean {statistics.mean(values):.4f}"
                spread = f"{min(values):.4f} to {max(values):.4f}"
                print(f"{folder.name}, {budget} s, {name}: {middle}, {spread}")


if __name__ == "__main__":
    main()
