"""The last fit of a network: how far it trusts its counts on text that was not counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.textgen.bundles import random_bundle
from textgen.bundle import Bundle
from textgen.evaluation import mean_loss
from textgen.experts.expert import Expert
from textgen.experts.kneser_ney import KneserNey
from textgen.experts.words import Words
from textgen.experts.words.contexts import kinds_of
from textgen.model import TextModel
from textgen.training.calibration import calibrated_loss

LIMIT = 8_000


def text(size: int, tokens: int, random_seed: int) -> npt.NDArray[np.uint16]:
    """A text in which each token has its own few followers, the same in every text."""
    followers = np.random.default_rng(1).integers(1, size, (size, 3))
    choices = np.random.default_rng(random_seed).integers(0, 3, tokens)
    made = np.zeros(tokens, np.uint16)
    for place in range(1, tokens):
        made[place] = followers[made[place - 1], choices[place]]
    return made


@pytest.fixture(scope="module", params=[(), ("words",)], ids=["n-grams", "n-grams and words"])
def overconfident(request: pytest.FixtureRequest) -> Bundle:
    """A network whose corrections of its counts are noise."""
    made = random_bundle("linear")
    size = made.spec.vocabulary
    counted = text(size, 6_000, 2)
    experts: tuple[Expert, ...] = (KneserNey.count(counted, size, 4),)
    if request.param:
        kinds = kinds_of([made.tokenizer.name_of(token) for token in range(size)])
        experts = *experts, Words.count(counted, size, kinds)
    spec = replace(made.spec, experts=request.param)
    random = np.random.default_rng(6)
    weights = dict(made.weights)
    for name, shape in spec.shapes().items():
        # What depends on the number of experts.
        if name not in weights or weights[name].shape != shape:
            weights[name] = random.normal(0, 0.1, shape).astype(np.float32)
    return replace(made, spec=spec, weights=weights, experts=experts)


def fitted(bundle: Bundle, tokens: npt.NDArray[np.uint16]) -> tuple[float, Bundle]:
    weights = dict(bundle.weights)
    loss = calibrated_loss(TextModel(bundle), weights, tokens, LIMIT)
    return loss, replace(bundle, weights=weights)


def test_a_network_that_trusts_itself_too_much_is_corrected_also_on_text_that_nobody_saw(
    overconfident: Bundle,
) -> None:
    size = overconfident.spec.vocabulary
    before = mean_loss(TextModel(overconfident), text(size, 20_000, 4), limit=20_000)
    loss, better = fitted(overconfident, text(size, 8_000, 3))
    unseen = mean_loss(TextModel(better), text(size, 20_000, 4), limit=20_000)
    assert unseen < before - 0.1
    assert loss == pytest.approx(unseen, abs=0.02)
    changed = {name for name, array in better.weights.items() if array is not overconfident.weights[name]}
    last = {"output.kernel", "output.bias", "prior.gate", "prior.bias", "confidence.gate"}
    assert changed == last & overconfident.weights.keys()
    assert all(array.dtype == np.float32 for array in better.weights.values())


def test_a_second_fit_changes_hardly_anything(overconfident: Bundle) -> None:
    tokens = text(overconfident.spec.vocabulary, 8_000, 3)
    first, once = fitted(overconfident, tokens)
    second, _ = fitted(once, tokens)
    assert second == pytest.approx(first, abs=0.01)


@pytest.mark.parametrize("cell", ["linear", "gru"])
def test_little_text_and_a_network_without_counts_are_measured_as_they_are(
    overconfident: Bundle, cell: str
) -> None:
    bundle = overconfident if cell == "linear" else random_bundle(cell)
    tokens = text(bundle.spec.vocabulary, 900 if cell == "linear" else 8_000, 3)
    loss, after = fitted(bundle, tokens)
    assert loss == mean_loss(TextModel(bundle), tokens, limit=LIMIT)
    assert all(after.weights[name] is array for name, array in bundle.weights.items())
