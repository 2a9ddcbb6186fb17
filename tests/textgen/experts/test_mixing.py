"""Experts mixed without a network: by gates that were found on the counted text alone."""

from __future__ import annotations

import numpy as np
import pytest

from textgen.experts.expert import Expert
from textgen.experts.kneser_ney import KneserNey
from textgen.experts.long import Long
from textgen.experts.mixing import even, gates_for, losses_of, stretches

VOCABULARY = 12
BEFORE = 48


def passages(many: int, seed: int) -> np.ndarray:
    """Return a text of passages, of which every second one came before."""
    known = np.random.default_rng(1).integers(1, VOCABULARY, (6, 60))
    random = np.random.default_rng(seed)
    new = random.integers(1, VOCABULARY, (many, 60))
    new[::2] = known[random.integers(0, 6, len(new[::2]))]
    return new.reshape(-1)


@pytest.fixture(scope="module")
def experts() -> list[Expert]:
    text = passages(40, seed=2)
    return [KneserNey.count(text, VOCABULARY, 3), Long.count(text, VOCABULARY)]


def test_gates_follow_what_the_counts_know(experts: list[Expert]) -> None:
    counted, other = (stretches(passages(40, seed), BEFORE, 2_000) for seed in (2, 3))
    found = gates_for(experts, counted, BEFORE)
    assert found.shape == (2, 1 + sum(expert.confidences for expert in experts))
    mixed, alone = losses_of(experts, found, other, BEFORE)
    constant = found.copy()
    constant[:, 1:] = 0
    assert mixed < 0.98 * min(alone)
    assert mixed < losses_of(experts, even(experts), other, BEFORE)[0]
    assert mixed < losses_of(experts, constant, other, BEFORE)[0]


def test_the_loss_is_that_of_the_product_of_powers(experts: list[Expert]) -> None:
    windows = stretches(passages(4, seed=5), BEFORE, 100)
    found = [expert.expect(windows[:, 1 + BEFORE - expert.before : -1]) for expert in experts]
    trust = np.concatenate(
        [np.ones((*windows[:, BEFORE + 1 :].shape, 1)), *(f.confidences for f in found)], 2
    )
    gates = np.random.default_rng(4).normal(0, 0.5, (2, trust.shape[-1])).astype(np.float32)
    powers = np.prod(
        [f.probabilities ** (trust @ gate)[..., None] for f, gate in zip(found, gates, strict=True)], axis=0
    )
    shares = powers / powers.sum(axis=-1, keepdims=True)
    expected = -np.log(np.take_along_axis(shares, windows[:, BEFORE + 1 :, None], 2)).mean()
    assert losses_of(experts, gates, windows, BEFORE)[0] == pytest.approx(expected, rel=1e-5)


def test_one_expert_has_the_whole_weight(experts: list[Expert]) -> None:
    windows = stretches(passages(4, seed=5), BEFORE, 100)
    mixed, alone = losses_of(experts[:1], even(experts[:1]), windows, BEFORE)
    assert alone == pytest.approx([mixed])
