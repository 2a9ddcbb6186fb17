"""Keras and NumPy compute the same network: the models that are trained are the ones that are served."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from textgen.inference import make_stepper
from textgen.spec import NetworkSpec
from textgen.training import backend

TOLERANCE = 1e-4


SPECS = {
    "lstm": NetworkSpec("lstm", vocabulary=50, embedding=20, units=32, layers=3),
    "gru": NetworkSpec("gru", vocabulary=50, embedding=20, units=32, layers=3),
    "linear": NetworkSpec(
        "linear", vocabulary=50, embedding=32, units=32, layers=3, expansion=2, ngrams=4, ngram_rows=64
    ),
    "linear, plain": NetworkSpec("linear", vocabulary=50, embedding=32, units=32, layers=2),
}
MANY_WORDS = {
    "lstm, words": NetworkSpec("lstm", vocabulary=20_000, embedding=16, units=16, layers=1),
    "linear, words": NetworkSpec(
        "linear", vocabulary=20_000, embedding=16, units=16, layers=1, ngrams=3, ngram_rows=64
    ),
}


def random_weights(spec: NetworkSpec) -> dict[str, npt.NDArray[np.float32]]:
    """Return weights larger than first ones are, so that the gates leave the middle of their range."""
    random = np.random.default_rng(1)
    return {name: random.normal(0, 0.6, shape).astype(np.float32) for name, shape in spec.shapes().items()}


def logits_of_keras(spec: NetworkSpec, tokens: npt.NDArray[np.int64], window: int) -> npt.NDArray[np.float32]:
    """Return the logits after each token but the last, from windows with carried state."""
    from textgen.training import network

    batch, length = tokens.shape
    made = network.build(spec, batch, window, random_seed=3)
    made.set_weights(random_weights(spec))
    padded = np.pad(tokens, ((0, 0), (made.before, 0)))
    found = []
    for start in range(0, length - 1, window):
        inputs, _ = made.arrange(padded[:, start : start + made.before + window + 1].astype(np.int32))
        found.append(np.asarray(made.model(inputs, training=False)))
    return np.concatenate(found, axis=1)


@pytest.mark.parametrize("spec", (SPECS | MANY_WORDS).values(), ids=(SPECS | MANY_WORDS).keys())
def test_the_logits_agree(spec: NetworkSpec) -> None:
    backend.load()
    tokens = np.random.default_rng(2).integers(0, spec.vocabulary, (4, 121))
    by_keras = logits_of_keras(spec, tokens, 40)

    stepper = make_stepper(spec, random_weights(spec))
    state = stepper.initial_state(4)
    by_numpy = np.stack([stepper.step(tokens[:, position], state) for position in range(120)], axis=1)

    assert by_keras.shape == by_numpy.shape
    assert np.abs(by_keras - by_numpy).max() <= TOLERANCE


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
def test_no_position_sees_what_follows(spec: NetworkSpec) -> None:
    backend.load()
    tokens = np.random.default_rng(2).integers(0, 50, (2, 81))
    changed = tokens.copy()
    changed[:, 50:] = (changed[:, 50:] + 7) % 50
    before, after = (logits_of_keras(spec, text, 40) for text in (tokens, changed))
    np.testing.assert_array_equal(before[:, :50], after[:, :50])
    assert np.abs(before[:, 50:] - after[:, 50:]).min(axis=2).max() > 1e-3


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
def test_the_parameters_are_the_ones_that_the_spec_announces(spec: NetworkSpec) -> None:
    backend.load()
    from textgen.training import network

    made = network.build(spec, 2, 10, random_seed=3)
    assert {name: array.shape for name, array in made.weights().items()} == spec.shapes()
    trained = sum(int(np.prod(variable.shape)) for variable in made.model.trainable_variables)
    assert trained == spec.parameters
