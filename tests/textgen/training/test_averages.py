"""A network's weights are their averages over the last steps; the training itself goes on from the latest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from textgen.settings.training import TrainingSettings
from textgen.training import backend

STEPS = 40


def trained(optimizer: str) -> tuple[Any, list[dict[str, Any]]]:
    """Return a network after three steps, and the weights after each of them."""
    backend.load()
    from textgen.training import network
    from textgen.training.loop.optimizing import compile_model

    settings = TrainingSettings.from_flags("tiny", optimizer=optimizer)
    made = network.build(replace(settings.network(11), prior=0, experts=()), 2, 6, 1)
    compile_model(made.model, settings, parameters=1_000, steps=STEPS)
    random, latest = np.random.default_rng(1), []
    for _ in range(3):
        inputs, targets = made.arrange(random.integers(0, 11, (2, 7 + made.before)), random)
        made.model.train_on_batch(inputs, targets)
        latest.append({name: np.array(variable.numpy()) for name, variable in made.layer.named.items()})
    return made, latest


def test_weights_are_averages() -> None:
    made, (first, second, third) = trained("adamw")
    from textgen.training.loop.optimizing import averaged_steps

    kept = 1 - 1 / averaged_steps(STEPS)
    assert 0 < kept < 1
    for name, average in made.weights().items():
        expected = kept * (kept * first[name] + (1 - kept) * second[name]) + (1 - kept) * third[name]
        assert average == pytest.approx(expected, abs=1e-6), name
    for name, variable in made.layer.named.items():
        assert np.array_equal(np.array(variable.numpy()), third[name]), (
            "the training goes on from the latest weights"
        )


def test_other_optimizers_have_no_averages() -> None:
    made, (_, _, third) = trained("rmsprop")
    for name, weights in made.weights().items():
        assert np.array_equal(weights, third[name])


@pytest.mark.parametrize(("steps", "averaged"), [(1, 1.0), (5, 1.0), (100, 20.0), (100_000, 50.0)])
def test_a_short_training_averages_fewer_steps(steps: int, averaged: float) -> None:
    backend.load()
    from textgen.training.loop.optimizing import averaged_steps

    assert averaged_steps(steps) == averaged
