"""How fast and how well a GPU learns a corpus: `python -m benchmarks.gpu DATA_DIR`.

Each size and batch is one `textgen train` in a process of its own, on the backend that KERAS_BACKEND
names. README.md beside this file says how to read the table.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from textgen.benchmark.training import run
from textgen.bundle import Manifest
from textgen.errors import TextgenError
from textgen.settings.presets import PRESETS

_NANOGPT = 1.4697
_COLUMNS = {
    "preset": "preset",
    "batch": "batch",
    "parameters": "parameters",
    "target_s": "s to target",
    "loss": "best loss",
    "characters_s": "characters/s",
    "first_step_s": "first step, s",
    "device_mb": "GPU, MB",
    "memory_mb": "memory, MB",
    "stopped": "ended by",
}


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("data_dir", type=click.Path(path_type=Path))
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
@click.option("--preset", "presets", multiple=True, type=click.Choice(PRESETS), help="May be given again.")
@click.option("--batch", "batches", multiple=True, type=int, help="Texts side by side; may be given again.")
@click.option("--seconds", type=float, default=120.0, show_default=True, help="For each training.")
@click.option("--target", type=float, default=_NANOGPT, show_default=True, help="Loss to reach, in nats.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a training, as soon as it ends.")
def main(
    data_dir: Path,
    flags: tuple[str, ...],
    presets: tuple[str, ...],
    batches: tuple[int, ...],
    *,
    seconds: float,
    target: float,
    as_json: bool,
) -> None:
    """Train on DATA_DIR (input.txt, validate.txt) with every preset and batch.

    FLAGS go to `textgen train`; put `--` before them. Exits with 1 if no training finished.
    """
    rows = []
    for preset, batch in product(presets or ("small", "medium", "large"), batches or (16, 64, 256)):
        with tempfile.TemporaryDirectory(prefix="textgen-gpu-") as folder:
            flags_of_one = [
                *("--data-dir", str(data_dir), "--output", f"{folder}/model", "--pristine-input"),
                *("--preset", preset, "--batch-size", str(batch), "--time-limit", str(seconds)),
                *("--num-epochs", "1000000", *flags),
            ]
            try:
                row = {"preset": preset, "batch": batch, **_trained(flags_of_one, target)}
            except TextgenError as error:
                # A training that does not fit into the memory must not end the others.
                row = {"preset": preset, "batch": batch, "stopped": str(error)}
        rows.append(row)
        if as_json:
            print(json.dumps(row), flush=True)
    if not as_json:
        _show(rows, target)
    sys.exit(not any("device" in row for row in rows))


def _trained(flags: list[str], target: float) -> dict[str, Any]:
    done = run(flags)
    return {
        "backend": os.environ.get("KERAS_BACKEND", "tensorflow"),
        "device": done.device,
        "parameters": done.manifest.parameters,
        "target_s": seconds_to(done.manifest, target),
        "loss": done.manifest.validation_loss,
        "characters_s": round(done.tokens_s),
        "first_step_s": round(done.first_step_s, 2),
        "device_mb": done.device_mb,
        "memory_mb": round(done.memory_mb),
        "stopped": done.manifest.stopped,
    }


def seconds_to(manifest: Manifest, target: float) -> float | None:
    """Return the seconds from process start to a validation loss; None if it was not reached."""
    met = (entry["seconds"] for entry in manifest.history if entry["validation_loss"] <= target)
    return next(met, None)


def _show(rows: list[dict[str, Any]], target: float) -> None:
    where = next((f"{row['backend']}, {row['device']}" for row in rows if "device" in row), "no device")
    table = Table(title=f"Keras on {where}; target {target:g} nats")
    for heading in _COLUMNS.values():
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*(_cell(row.get(key)) for key in _COLUMNS))
    Console(width=130).print(table)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if value < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value or "–")


if __name__ == "__main__":
    main()
