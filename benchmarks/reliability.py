"""Figures that must be nought: Keras against NumPy, and killed trainings against straight ones."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from textgen import bundle
from textgen.corpus import shakespeare
from textgen.experts.counting import order_for
from textgen.experts.kneser_ney import KneserNey
from textgen.network.cells.registry import CELLS
from textgen.network.making import make_stepper
from textgen.network.spec import NetworkSpec

_KILLS = 10
_VOCABULARIES = {"characters": 66, "subwords": 2_048, "words": 20_000}


def run() -> list[Figure]:
    """Measure both."""
    return [_parity(), _killed()]


def _parity() -> Figure:
    """Return the largest difference of a logit, over every cell and vocabularies of every level's size."""
    from textgen.training import backend

    backend.load()
    from textgen.training import network

    largest = 0.0
    for cell, vocabulary in product(CELLS, _VOCABULARIES.values()):
        order = order_for(vocabulary) if CELLS[cell].recipe.get("prior") else 0
        spec = NetworkSpec(cell, vocabulary, embedding=64, units=64, layers=2, prior=order)
        draw = np.random.default_rng(vocabulary)
        experts = [KneserNey.count(draw.integers(0, vocabulary, 5_000), vocabulary, order)] if order else []
        weights = {
            name: draw.normal(0, 0.4, shape).astype(np.float32) for name, shape in spec.shapes().items()
        }
        made = network.build(spec, 2, 50, 1, experts)
        made.set_weights(weights)
        tokens = draw.integers(0, vocabulary, (2, made.before + 51)).astype(np.int32)
        tokens[:, : made.before] = 0
        by_keras = np.asarray(made.model(made.arrange(tokens)[0], training=False))
        stepper = make_stepper(spec, weights, experts)
        state = stepper.initial_state(2)
        for position in range(50):
            by_numpy = stepper.step(tokens[:, made.before + position].astype(np.intp), state)
            largest = max(largest, float(np.abs(by_numpy - by_keras[:, position]).max()))
    return Figure("Keras and NumPy: largest difference of a logit", largest, "", "≤ 0.0001")


def _killed() -> Figure:
    """Kill a training at random moments; return how many of its weights differ from an unbroken one's."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        text = "\n".join(shakespeare.plays("roman"))[:60_000]
        (data / "input.txt").write_text(text, encoding="utf-8")
        common = [
            "train",
            "--data-dir",
            folder,
            "--preset",
            "tiny",
            "--num-epochs",
            "40",
            "--checkpoint-seconds",
            "0.5",
        ]
        command = [sys.executable, "-m", "textgen", *common, "--events"]
        subprocess.run([*command, "--output", str(data / "straight")], check=True, stdout=subprocess.DEVNULL)
        draw = random.Random(time.time_ns())
        state = data / "killed.checkpoint" / "state.safetensors"
        for kill in range(_KILLS + 1):
            process = subprocess.Popen(
                [*command, "--output", str(data / "killed"), "--resume"], stdout=subprocess.PIPE, text=True
            )
            assert process.stdout is not None  # noqa: S101 -- it is a pipe
            json.loads(process.stdout.readline())
            if kill < _KILLS:
                before = state.stat().st_mtime_ns if state.exists() else 0
                while process.poll() is None and (not state.exists() or state.stat().st_mtime_ns == before):
                    time.sleep(0.01)
                time.sleep(draw.uniform(0, 0.6))
                process.send_signal(signal.SIGKILL)
            process.communicate()
        straight, killed = bundle.read(data / "straight").weights, bundle.read(data / "killed").weights
        differing = sum(int((straight[name] != killed[name]).sum()) for name in straight)
    return Figure(f"kill -9 at {_KILLS} random moments: weights that differ", differing, "", "≤ 0")
