"""A model from nothing beside a fine-tuned base: loss, speed, memory, and a sample of each.

``python -m benchmarks.pretrained FOLDER [SECONDS [BASE]]`` trains twice on FOLDER/input.txt and measures on
FOLDER/validate.txt. The base must be on this host (``textgen base add``). The two losses are in nats per
character; their protocols differ, as the rows say.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from textgen.evaluation import Evaluation, overlapping_windows, stateful_pass
from textgen.model import TextModel
from textgen.pretrained.tuned.spec import TunedSpec

_SEEDS = ("The", "It is")
_LENGTH = 300


@dataclass(frozen=True)
class Run:
    """A training as a process.

    Attributes:
        events: what it told.
        processor_s: processor seconds, all threads together.
        megabytes: its largest memory.
    """

    events: list[dict[str, Any]]
    processor_s: float
    megabytes: float


def main() -> None:
    folder = Path(sys.argv[1])
    seconds = sys.argv[2] if len(sys.argv) > 2 else "300"
    base = sys.argv[3] if len(sys.argv) > 3 else "smollm2"
    table = Table(title=f"{folder.name}, {seconds} s each, wall clock")
    columns = ("model", "nats a character", "protocol", "at once", "after", "steps", "processor", "memory")
    for column in columns:
        table.add_column(column)
    samples = []
    with tempfile.TemporaryDirectory() as made:
        for name, flags in {"from nothing": ("--pristine-input",), base: ("--base", base)}.items():
            output = Path(made) / name
            run = train(folder, output, "--time-limit", seconds, *flags)
            model = TextModel.load(output)
            figures = evaluate(model, (folder / "validate.txt").read_text(encoding="utf-8"))
            first = next(event for event in run.events if event["event"] == "checkpoint")
            table.add_row(
                name,
                f"{figures.nats_per_character:.3f}",
                figures.protocol,
                f"{first['validation_loss'] * figures.tokens / figures.characters:.3f}",
                f"{first['seconds']:.0f} s",
                str(run.events[-1]["steps"]),
                f"{run.processor_s:.0f} s",
                f"{run.megabytes:,.0f} MB",
            )
            samples += [(name, model.generate(seed, length=_LENGTH, random_seed=1), seed) for seed in _SEEDS]
    Console(width=120).print(table)
    for name, text, seed in samples:
        print(f"\n{name}, temperature 0.5:\n{seed}{text}")


def train(folder: Path, output: Path, *flags: str) -> Run:
    """Train in a process of its own, with a text's files."""
    command = [sys.executable, "-m", "textgen", "train", "--data-dir", str(folder), "--output", str(output)]
    with subprocess.Popen([*command, "--events", *flags], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 -- it is a pipe
        events = [json.loads(line) for line in process.stdout]
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"the training ended with {process.returncode}")
    return Run(events, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def evaluate(model: TextModel, text: str) -> Evaluation:
    """Return the loss by the protocol that suits the model."""
    return (
        overlapping_windows(model, text) if isinstance(model.spec, TunedSpec) else stateful_pass(model, text)
    )


if __name__ == "__main__":
    main()
