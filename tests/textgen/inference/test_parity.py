"""Keras and NumPy compute the same network: the models that are trained are the ones that are served."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest

from textgen.experts.expert import Expert
from textgen.experts.kneser_ney import KneserNey
from textgen.experts.long import Long
from textgen.experts.words import Words
from textgen.experts.words.contexts import JOINER, LETTER, SEPARATOR, WHOLE
from textgen.inference import Stepper
from textgen.network.cells.registry import CELLS
from textgen.network.making import make_stepper
from textgen.network.spec import NetworkSpec
from textgen.training import backend

TOLERANCE = 1e-4


SPECS = {
    "lstm": NetworkSpec("lstm", vocabulary=50, embedding=20, units=32, layers=2),
    "gru": NetworkSpec("gru", vocabulary=50, embedding=20, units=32, layers=2),
    "linear": NetworkSpec(
        "linear",
        vocabulary=50,
        embedding=32,
        units=32,
        layers=3,
        expansion=2,
        prior=4,
    ),
    "linear, experts": NetworkSpec(
        "linear", vocabulary=50, embedding=32, units=32, layers=2, prior=5, experts=("words",)
    ),
    "linear, all experts": NetworkSpec(
        "linear", vocabulary=50, embedding=16, units=16, layers=1, prior=4, experts=("words", "long")
    ),
    "linear, plain": NetworkSpec("linear", vocabulary=50, embedding=32, units=32, layers=2),
}
MANY_WORDS = {
    "lstm, words": NetworkSpec("lstm", vocabulary=20_000, embedding=16, units=16, layers=1),
    "linear, words": NetworkSpec("linear", vocabulary=20_000, embedding=16, units=16, layers=1, prior=3),
    "linear, experts, many": NetworkSpec(
        "linear", vocabulary=1_500, embedding=16, units=16, layers=1, prior=3, experts=("words",)
    ),
}


def test_every_cell_is_compared() -> None:
    backend.load()
    from textgen.network.cells.keras_layers import KERAS_LAYERS

    assert {spec.cell for spec in SPECS.values()} == set(CELLS) == set(KERAS_LAYERS)


def random_weights(spec: NetworkSpec) -> dict[str, npt.NDArray[np.float32]]:
    """Return weights larger than first ones are, so that the gates leave the middle of their range."""
    random = np.random.default_rng(1)
    return {name: random.normal(0, 0.6, shape).astype(np.float32) for name, shape in spec.shapes().items()}


def experts_for(spec: NetworkSpec) -> list[Expert]:
    """Return counts of a text that repeats itself, so that all lengths have their say."""
    if not spec.prior:
        return []
    text = np.random.default_rng(2).integers(0, spec.vocabulary, (4, 121)).ravel()
    text = np.concatenate([text, text[:300], text[:200]])
    experts: list[Expert] = [KneserNey.count(text, spec.vocabulary, spec.prior)]
    if "words" in spec.experts:
        kinds = np.array([SEPARATOR, LETTER, LETTER, LETTER, JOINER, WHOLE], np.uint8)
        experts.append(Words.count(text, spec.vocabulary, np.resize(kinds, spec.vocabulary)))
    if "long" in spec.experts:
        experts.append(Long.count(text, spec.vocabulary))
    return experts


def stepper_of(spec: NetworkSpec) -> Stepper:
    return make_stepper(spec, random_weights(spec), experts_for(spec))


def logits_of_keras(spec: NetworkSpec, tokens: npt.NDArray[np.int64], window: int) -> npt.NDArray[np.float32]:
    """Return the logits after each token but the last, from windows with carried state."""
    from textgen.training import network

    batch, length = tokens.shape
    made = network.build(spec, batch, window, 3, experts_for(spec))
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

    stepper = stepper_of(spec)
    state = stepper.initial_state(4)
    by_numpy = np.stack([stepper.step(tokens[:, position], state) for position in range(120)], axis=1)

    assert by_keras.shape == by_numpy.shape
    assert np.abs(by_keras - by_numpy).max() <= TOLERANCE


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
@pytest.mark.slow
def test_no_position_sees_what_follows(spec: NetworkSpec) -> None:
    backend.load()
    tokens = np.random.default_rng(2).integers(0, 50, (2, 81))
    changed = tokens.copy()
    changed[:, 50:] = (changed[:, 50:] + 7) % 50
    before, after = (logits_of_keras(spec, text, 40) for text in (tokens, changed))
    np.testing.assert_array_equal(before[:, :50], after[:, :50])
    assert np.abs(before[:, 50:] - after[:, 50:]).min(axis=2).max() > 1e-3


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
@pytest.mark.slow
def test_a_text_that_begins_anew_is_read_as_if_nothing_had_been(spec: NetworkSpec) -> None:
    backend.load()
    from textgen.training import network

    made = network.build(spec, 8, 10, 3, experts_for(spec), fresh_starts=0.5)
    made.set_weights(random_weights(spec))
    tokens = np.random.default_rng(5).integers(0, spec.vocabulary, (2, 8, made.before + 11)).astype(np.int32)
    made.model(made.arrange(tokens[0])[0], training=False)
    inputs, _ = made.arrange(tokens[1], np.random.default_rng(1))
    begins = inputs[-1][:, 0] == 0
    assert 0 < begins.sum() < 8
    after = np.asarray(made.model(inputs, training=False))
    made.reset_state()
    alone = np.asarray(made.model(inputs, training=False))
    np.testing.assert_array_equal(after[begins], alone[begins])
    assert (np.abs(after - alone)[~begins].max(axis=(1, 2)) > 1e-3).all()


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
def test_the_parameters_are_the_ones_that_the_spec_announces(spec: NetworkSpec) -> None:
    backend.load()
    from textgen.training import network

    made = network.build(spec, 2, 10, 3, experts_for(spec))
    assert {name: array.shape for name, array in made.weights().items()} == spec.shapes()
    trained = sum(int(np.prod(variable.shape)) for variable in made.model.trainable_variables)
    assert trained == spec.parameters


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
def test_reading_many_tokens_at_once_is_the_same_as_one_by_one(spec: NetworkSpec) -> None:
    """A seed is read in pieces; where they end must not show in the text."""
    tokens = np.random.default_rng(2).integers(0, spec.vocabulary, (3, 61))
    stepper = stepper_of(spec)
    state = stepper.initial_state(3)
    one_by_one = np.stack([stepper.step(column, state) for column in tokens.T], axis=1)

    for cuts in ([61], [1, 2, 3, 20, 61]):
        at_once = stepper.initial_state(3)
        pieces = [
            stepper.logits(stepper.features(tokens[:, start:end], at_once))
            for start, end in itertools.pairwise([0, *cuts])
        ]
        assert np.abs(np.concatenate(pieces, axis=1) - one_by_one).max() < 1e-11
        for left, right in zip(at_once, state, strict=True):
            np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
def test_a_row_is_the_same_in_every_batch(spec: NetworkSpec) -> None:
    tokens = np.random.default_rng(3).integers(0, spec.vocabulary, (40, 50))
    stepper = stepper_of(spec)
    state, alone = stepper.initial_state(50), [stepper.initial_state(1) for _ in range(50)]
    for column in tokens:
        together = stepper.step(column, state)
        for row in range(50):
            single = stepper.step(column[row : row + 1], alone[row])
            assert np.abs(single[0] - together[row]).max() < 1e-11
    for row, states in enumerate(alone):
        for left, right in zip(states, state, strict=True):
            np.testing.assert_array_equal(left[0], right[row])
