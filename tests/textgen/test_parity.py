"""Keras and NumPy compute the same network: the models that are trained are the ones that are served."""

from __future__ import annotations

import numpy as np
import pytest

from textgen.inference import make_stepper
from textgen.spec import CELLS, NetworkSpec
from textgen.training import backend

TOLERANCE = 1e-4


@pytest.mark.parametrize("cell", CELLS)
def test_the_logits_agree(cell: str) -> None:
    backend.load()
    from textgen.training import network

    spec = NetworkSpec(cell, vocabulary=50, embedding=20, units=32, layers=3)
    model = network.build(spec, batch=4, random_seed=3)
    random = np.random.default_rng(1)
    # Larger than first weights are, so that the gates leave the middle of their range.
    weights = {name: random.normal(0, 0.6, shape).astype(np.float32) for name, shape in spec.shapes().items()}
    network.set_weights(model, spec, weights)
    tokens = random.integers(0, 50, (4, 120))
    by_keras = np.concatenate(
        [
            np.asarray(model(tokens[:, :70], training=False)),
            np.asarray(model(tokens[:, 70:], training=False)),
        ],
        axis=1,
    )

    stepper = make_stepper(spec, network.weights(model, spec))
    state = stepper.initial_state(4)
    by_numpy = np.stack([stepper.step(tokens[:, position], state) for position in range(120)], axis=1)

    assert np.abs(by_keras - by_numpy).max() <= TOLERANCE


@pytest.mark.parametrize("cell", CELLS)
def test_the_parameters_are_the_ones_that_the_spec_announces(cell: str) -> None:
    backend.load()
    from textgen.training import network

    spec = NetworkSpec(cell, vocabulary=30, embedding=8, units=16, layers=2)
    model = network.build(spec, batch=2, random_seed=3)
    assert {name: array.shape for name, array in network.weights(model, spec).items()} == spec.shapes()
    assert model.count_params() >= spec.parameters
    assert sum(int(np.prod(variable.shape)) for variable in model.trainable_variables) == spec.parameters
