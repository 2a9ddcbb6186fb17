"""Trains on the backend that KERAS_BACKEND names and prints what came out as JSON; run by test_backends."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

import textgen
from tests.textgen.conftest import SMALL
from textgen import bundle
from textgen.errors import TrainingInterruptedError
from textgen.network.making import make_stepper
from textgen.training import backend
from textgen.training.reporting.events import Control, Event

RECIPES: dict[str, dict[str, Any]] = {
    "linear": {
        "preset": "tiny",
        "num_layers": 1,
        "rnn_size": 16,
        "batch_size": 8,
        "dropout": 0.1,
        # Counts that leave the network something to learn.
        "prior": 2,
        "experts": (),
    },
    "lstm": {**SMALL, "optimizer": "adam", "learning_rate": 0.02, "dropout": 0.1},
}
TEXTS, WINDOW = 3, 20


def train(corpus: Path, cell: str, output: Path, **more: Any) -> bundle.Manifest:
    return textgen.train(corpus, output=output, num_epochs=3, **RECIPES[cell], **more)


def interrupted(corpus: Path, cell: str, output: Path) -> bundle.Manifest:
    """Stop after the second validation, and resume."""
    control, seen = Control(), 0

    def stop(event: Event) -> None:
        nonlocal seen
        seen += event["event"] == "checkpoint"
        if seen == 2:
            control.cancel()

    try:
        train(corpus, cell, output, control=control, on_event=stop)
    except TrainingInterruptedError:
        return train(corpus, cell, output, resume=True)
    raise AssertionError("it was not interrupted")


def difference_of_logits(path: Path) -> float:
    """Return the largest difference of a logit between Keras and NumPy, over two windows."""
    import keras

    from textgen.training import network

    made = bundle.read(path)
    built = network.build(made.spec, TEXTS, WINDOW, 3, made.experts)
    built.set_weights(made.weights)
    tokens = np.random.default_rng(2).integers(1, made.spec.vocabulary, (TEXTS, 2 * WINDOW + 1))
    padded = np.pad(tokens, ((0, 0), (built.before, 0))).astype(np.int32)
    stepper = make_stepper(made.spec, made.weights, made.experts)
    state, largest = stepper.initial_state(TEXTS), 0.0
    for start in (0, WINDOW):
        inputs, _ = built.arrange(padded[:, start : start + built.before + WINDOW + 1])
        by_keras = keras.ops.convert_to_numpy(built.model(inputs, training=False))
        for position in range(WINDOW):
            by_numpy = stepper.step(tokens[:, start + position], state)
            largest = max(largest, float(np.abs(by_numpy - by_keras[:, position]).max()))
    return largest


def main() -> None:
    corpus, told = Path(sys.argv[1]), {}
    for cell in RECIPES:
        straight, broken = corpus / cell, corpus / f"{cell}-broken"
        manifest = train(corpus, cell, straight)
        interrupted(corpus, cell, broken)
        weights, resumed = bundle.read(straight).weights, bundle.read(broken).weights
        told[cell] = {
            "loss": manifest.validation_loss,
            "uniform": math.log(manifest.vocabulary),
            "differing": sum(int((weights[name] != resumed[name]).sum()) for name in weights),
            "logits": difference_of_logits(straight),
        }
    backend.products = lambda: "bfloat16"
    mixed = train(corpus, "linear", corpus / "mixed")
    weights = bundle.read(corpus / "mixed").weights
    told["mixed"] = {
        "loss": mixed.validation_loss,
        "types": sorted({array.dtype.name for array in weights.values()}),
        # Weights that were trained in 16 bits would have no more than 8 significant ones.
        "rounded": float(np.mean([np.mean(_short(array)) for array in weights.values()])),
    }
    told["backend"] = sys.modules["keras"].backend.backend()
    print(json.dumps(told))


def _short(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return (array.view(np.uint32) & 0xFFFF) == 0


if __name__ == "__main__":
    main()
