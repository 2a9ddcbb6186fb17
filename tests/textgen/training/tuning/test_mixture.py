"""The mixture of a network with counted n-grams, and what it is made of."""

from __future__ import annotations

import numpy as np
import pytest

from textgen.experts.kneser_ney import KneserNey
from textgen.experts.single_tokens import after, expect
from textgen.pretrained.tuned import mixture
from textgen.pretrained.tuned.stepper import MixedStepper
from textgen.training.tuning.held_out import WINDOW, fit, windows_of

VOCABULARY = 12


@pytest.fixture(scope="module")
def tokens() -> np.ndarray:
    draw = np.random.default_rng(0)
    return (draw.integers(1, VOCABULARY, 3000) * draw.integers(0, 2, 3000)).astype(np.uint16)


@pytest.fixture(scope="module")
def counted(tokens: np.ndarray) -> KneserNey:
    return KneserNey.count(tokens, VOCABULARY, 4)


class TwoTokens:
    """A network that knows its last token only: a stepper without a memory."""

    def __init__(self) -> None:
        self.table = np.random.default_rng(1).normal(0, 1, (VOCABULARY, VOCABULARY))
        self.table[:, 0] = -np.inf

    def initial_state(self, batch: int) -> list[np.ndarray]:
        return [np.zeros(batch)]

    def step(self, tokens: np.ndarray, state: list[np.ndarray]) -> np.ndarray:
        return self.table[tokens]

    def features(self, tokens: np.ndarray, state: list[np.ndarray]) -> np.ndarray:
        return tokens[..., None].astype(np.float64)

    def logits(self, features: np.ndarray) -> np.ndarray:
        return self.table[features[..., 0].astype(int)]


def test_one_token_is_expected_as_among_all(tokens: np.ndarray, counted: KneserNey) -> None:
    windows = np.lib.stride_tricks.sliding_window_view(tokens[:500].astype(np.int64), counted.before + 1)
    # Contexts that never came too.
    windows = np.concatenate([windows, np.random.default_rng(2).integers(0, VOCABULARY, (200, 4))])

    found = expect(counted, windows)

    all_tokens = counted.expect(windows[:, :-1]).probabilities[:, 0]
    assert np.allclose(found.probabilities, all_tokens[np.arange(len(windows)), windows[:, -1]], atol=1e-7)
    assert set(found.known) == {2, 3}
    assert np.array_equal(after(counted, windows[:, :-1]).known, found.known)


def test_weights_follow_who_predicts_better() -> None:
    draw = np.random.default_rng(3)
    kind = draw.integers(0, 2, 4000)
    # Of the first kind the network knows more, of the second the counts.
    network = np.where(kind == 0, 0.5, 0.1) * draw.uniform(0.5, 1, 4000)
    counts = np.where(kind == 0, 0.1, 0.5) * draw.uniform(0.5, 1, 4000)

    weights = mixture.fitted(network, counts, kind, 1)
    loss = mixture.cross_fitted_loss(network, counts, kind, 1)

    assert weights[0] > 0.9
    assert weights[1] < 0.1
    assert loss < min(-np.log(network).mean(), -np.log(counts).mean())


def test_steps_and_whole_texts_give_the_same_probabilities(tokens: np.ndarray, counted: KneserNey) -> None:
    weights = np.linspace(0.2, 0.8, mixture.kinds(counted.order)).astype(np.float32)
    stepper = MixedStepper(TwoTokens(), counted, weights)
    texts = tokens[:60].reshape(2, 30).astype(np.intp)

    state = stepper.initial_state(2)
    stepped = np.stack([stepper.step(column, state) for column in texts.T], axis=1)
    state = stepper.initial_state(2)
    halves = [stepper.logits(stepper.features(part, state)) for part in (texts[:, :11], texts[:, 11:])]

    whole = np.concatenate(halves, axis=1)
    assert np.array_equal(whole, stepped)
    # What the network never writes is not written for its counts either; the rest sums to nearly 1.
    assert np.isneginf(whole[..., 0]).all()
    assert (np.exp(whole).sum(-1) <= 1 + 1e-9).all()


def test_each_text_of_a_batch_has_the_mixture_that_it_began_with(tokens: np.ndarray) -> None:
    network = TwoTokens()
    made = []
    for order in (2, 4):
        counted = KneserNey.count(tokens[: 500 * order], VOCABULARY, order)
        weights = np.full(mixture.kinds(order), order / 5, np.float32)
        made.append(MixedStepper(network, counted, weights, "base"))
    texts = tokens[:60].reshape(2, 30).astype(np.intp)

    states = [stepper.initial_state(1) for stepper in made]
    alone = [
        [stepper.step(text[at : at + 1], state)[0] for at in range(30)]
        for stepper, state, text in zip(made, states, texts, strict=True)
    ]
    state = [np.concatenate(arrays) for arrays in zip(*(each.initial_state(1) for each in made), strict=True)]
    together = [made[0].step(texts[:, at], state) for at in range(30)]

    for row in range(2):
        assert np.array_equal(np.stack(together)[:, row], np.stack(alone[row]))


def test_a_fit_measures_on_text_that_its_weights_have_not_seen(
    tokens: np.ndarray, counted: KneserNey
) -> None:
    held_out = windows_of(tokens[:1500], 2 * WINDOW, counted.before, None)
    assert held_out.inputs.shape == (2, WINDOW)
    # The context of each target ends in the token that the network reads there.
    assert np.array_equal(held_out.contexts[..., -2], held_out.inputs)
    assert np.array_equal(held_out.contexts[..., -1], held_out.targets)

    _, loss = fit(np.full(held_out.inputs.shape, np.log(VOCABULARY)), held_out, counted)

    assert loss < np.log(VOCABULARY)
    of_counts = expect(counted, held_out.contexts.reshape(-1, counted.before + 1)).probabilities
    assert loss < -np.log(of_counts).mean() + 0.01


def test_a_start_token_stands_before_every_window(tokens: np.ndarray) -> None:
    held_out = windows_of(tokens[:100], 50, 3, start=5)

    assert (held_out.inputs[:, 0] == 5).all()
    assert held_out.inputs.shape == (1, 99)
