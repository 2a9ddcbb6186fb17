"""What a training leaves to look at: a curve, and TensorBoard's files."""

from __future__ import annotations

import dataclasses
import json
import struct
from pathlib import Path

import pytest

from tests.support.textgen.bundles import random_bundle, write_random_bundle
from tests.support.textgen.command import refusal, textgen
from tests.textgen.conftest import SMALL_FLAGS
from textgen import bundle
from textgen.training.reporting.plotting import write_loss_curve


def test_inspect_draws_the_curve_and_shows_it(tmp_path: Path) -> None:
    made = random_bundle()
    history = [{"step": step, "seconds": step / 2, "validation_loss": 4 - step / 9} for step in range(1, 20)]
    manifest = dataclasses.replace(made.manifest, history=history)
    bundle.write(tmp_path / "model", dataclasses.replace(made, manifest=manifest))
    shown = textgen("inspect", tmp_path / "model", "--plot")
    assert "3.889 → 1.889" in shown.stdout
    picture = (tmp_path / "model" / "loss.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 5_000
    assert bundle.read(tmp_path / "model").manifest == manifest


def test_without_a_history_there_is_nothing_to_draw(tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    assert "nothing to draw" in refusal(textgen("inspect", tmp_path / "model", "--plot"))


@pytest.mark.slow
def test_a_training_writes_scalars_for_tensorboard(corpus: Path) -> None:
    board = corpus / "board"
    flags = ("--data-dir", corpus, "--num-epochs", "1", "--tensorboard", board, *SMALL_FLAGS)
    assert textgen("train", *flags).returncode == 0
    (file,) = board.iterdir()
    data = file.read_bytes()
    assert b"loss/validation" in data
    assert b"sample at temperature 0.7" in data


@pytest.mark.slow
def test_a_running_training_draws_its_losses_and_tells_where(corpus: Path) -> None:
    flags = ("--data-dir", corpus, "--num-epochs", "2", "--curve", "--events", *SMALL_FLAGS)
    events = [json.loads(line) for line in textgen("train", *flags).stdout.splitlines()]
    first = next(event for event in events if "picture" in event)
    assert first["event"] == "checkpoint"
    assert Path(first["picture"]).name == "loss.png"
    assert {"seconds", "training_loss", "validation_loss"} <= set(first)
    assert events[-1]["picture"] == str(corpus / "model" / "loss.png")
    assert image_size(corpus / "model" / "loss.png") == (900, 300)
    drawn = [event for event in events if event["event"] == "checkpoint" and "picture" in event]
    assert len(drawn) < 4, "a picture every few seconds at most"


@pytest.mark.parametrize("points", [1, 2, 300])
@pytest.mark.parametrize("limit_s", [None, 1.0, 90_000.0])
def test_every_history_can_be_drawn(tmp_path: Path, points: int, limit_s: float | None) -> None:
    history = [{"step": n, "seconds": n / 2, "validation_loss": 2.0} for n in range(points)]
    write_loss_curve(history, tmp_path / "loss.png", unit="token", limit_s=limit_s)
    assert image_size(tmp_path / "loss.png") == (900, 300)


def image_size(path: Path) -> tuple[int, int]:
    """Read the header of a PNG."""
    header = path.read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    return struct.unpack(">II", header[16:])
