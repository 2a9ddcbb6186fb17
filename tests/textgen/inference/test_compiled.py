"""The compiled step and NumPy's compute the same states, to the bit, and so write the same texts."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import needs
from tests.support.textgen.bundles import random_bundle
from tests.textgen.experts.test_kneser_ney import text_of
from tests.textgen.inference.test_parity import MANY_WORDS, SPECS, experts_for, random_weights
from textgen.experts.chains.chain import BEFORE, LEVELS
from textgen.experts.kneser_ney import KneserNey
from textgen.experts.long import Long
from textgen.experts.words import Words
from textgen.experts.words.contexts import JOINER, LETTER, SEPARATOR, WHOLE
from textgen.inference.compiled_experts import CompiledExperts
from textgen.inference.lookups import Expectation, lookup_of
from textgen.inference.ngram_lookup import NgramLookup
from textgen.model import TextModel
from textgen.network.cells.linear import compiled_step as compiled
from textgen.network.cells.linear.numpy_step import LinearStepper
from textgen.network.making import make_stepper
from textgen.network.spec import NetworkSpec

ODD = {
    "odd sizes": NetworkSpec("linear", 67, 37, 37, layers=3, expansion=1, prior=6),
    "one of each": NetworkSpec("linear", 2, 1, 1, layers=1, prior=2),
    "wide": NetworkSpec("linear", 300, 192, 192, layers=2, expansion=3),
}
LINEAR = {name: spec for name, spec in (SPECS | MANY_WORDS | ODD).items() if spec.cell == "linear"}

needs_code = needs.compiled(compiled.library())


@needs_code
@pytest.mark.parametrize("batch", [1, 3, 4, 9, 33])
@pytest.mark.parametrize("spec", LINEAR.values(), ids=LINEAR.keys())
def test_states_are_equal_to_the_bit(spec: NetworkSpec, batch: int) -> None:
    weights = random_weights(spec)
    experts = experts_for(spec)
    steppers = [make_stepper(spec, weights, experts), LinearStepper(spec, weights, experts)]
    assert isinstance(steppers[0], compiled.CompiledLinearStepper)
    states = [stepper.initial_state(batch) for stepper in steppers]
    for column in np.random.default_rng(8).integers(0, spec.vocabulary, (batch, 60)).T:
        by_code, by_numpy = (
            stepper.step(column, state) for stepper, state in zip(steppers, states, strict=True)
        )
        assert np.abs(by_code - by_numpy).max() < 1e-11
    for left, right in zip(*states, strict=True):
        np.testing.assert_array_equal(left, right)


@needs_code
@pytest.mark.parametrize(
    ("vocabulary", "length"),
    [(2, 200), (7, 400), (66, 30_000), (300, 20_000), (3_000, 30_000), (70_000, 900)],
)
def test_n_grams_expect_the_same_to_the_bit(vocabulary: int, length: int) -> None:
    """One byte, two and four for a token; contexts that never came, and those with many tokens beneath."""
    text = text_of(length, vocabulary) if vocabulary < 70_000 else np.arange(length) * 77 % vocabulary
    counted = KneserNey.count(text, vocabulary)
    code = compiled.library()
    assert code is not None
    known = np.lib.stride_tricks.sliding_window_view(text, counted.before)[:300]
    strange = np.random.default_rng(4).integers(0, vocabulary, (100, counted.before))
    half = np.concatenate([strange[:, : counted.before // 2], known[:100, counted.before // 2 :]], axis=1)
    contexts = np.concatenate([known, strange, half]).astype(np.float32)
    by_code = CompiledExperts([counted], code).expect(contexts, with_confidences=True)
    for by_numpy in (NgramLookup(counted).expect(contexts), counted.expect(contexts)):
        np.testing.assert_array_equal(by_code.probabilities[0], by_numpy.probabilities[:, 0])
        np.testing.assert_array_equal(by_code.confidences, by_numpy.confidences[:, 0])


@needs_code
@pytest.mark.parametrize(("vocabulary", "seed"), [(9, 1), (30, 2), (300, 3)])
def test_further_experts_expect_the_same_to_the_bit(vocabulary: int, seed: int) -> None:
    """All kinds of characters in any order, also where the window begins; then what never came."""
    random = np.random.default_rng(seed)
    kinds = random.choice([SEPARATOR, LETTER, LETTER, JOINER, WHOLE], vocabulary).astype(np.uint8)
    text = np.minimum(random.geometric(0.2, 20_000) - 1, vocabulary - 1)
    text[5_000:9_000] = text[:4_000]
    counts = [
        KneserNey.count(text, vocabulary),
        Words.count(text, vocabulary, kinds),
        Long.count(text, vocabulary),
    ]
    code = compiled.library()
    assert code is not None
    strange = random.integers(0, vocabulary, 2_000)
    long = np.full(400, int(np.flatnonzero(kinds == LETTER)[0]))
    windows = np.concatenate([np.zeros(BEFORE, np.int64), text[:3_000], strange, long, text[:60]])
    by_code = CompiledExperts(counts, code).expect(windows[None].astype(np.float32), with_confidences=True)
    lookups = [lookup_of(each) for each in counts]
    steps = np.lib.stride_tricks.sliding_window_view(windows, BEFORE)
    # At once, and step by step with and without what the caches hold.
    for given in (windows[None], steps, steps[::7]):
        by_numpy = Expectation.of(lookups, given, with_confidences=True)
        stride = 7 if len(given) < len(steps) and len(given) > 1 else 1
        np.testing.assert_array_equal(by_code.probabilities[:, ::stride], by_numpy.probabilities)
        np.testing.assert_array_equal(by_code.confidences[::stride], by_numpy.confidences)
    levels = by_code.confidences[:, -4 * LEVELS :: 2]
    assert (levels > 0).sum(axis=0).min() > 5


@needs_code
def test_large_gates_do_not_overflow() -> None:
    spec = LINEAR["linear"]
    experts = experts_for(spec)
    weights = {name: array * 300 for name, array in random_weights(spec).items()}
    by_code, by_numpy = (
        stepper.step(np.arange(9), stepper.initial_state(9))
        for stepper in (make_stepper(spec, weights, experts), LinearStepper(spec, weights, experts))
    )
    assert np.isfinite(by_code).all()
    np.testing.assert_allclose(by_code, by_numpy, rtol=1e-9)


@needs_code
@pytest.mark.parametrize("token", [-1, 50, 2**40])
def test_a_token_that_there_is_not_is_refused_and_changes_nothing(token: int) -> None:
    spec = LINEAR["linear"]
    stepper = make_stepper(spec, random_weights(spec), experts_for(spec))
    state = stepper.initial_state(2)
    stepper.step(np.array([3, 4]), state)
    before = [array.copy() for array in state]
    with pytest.raises(IndexError, match="outside the vocabulary of 50"):
        stepper.step(np.array([1, token]), state)
    for left, right in zip(state, before, strict=True):
        np.testing.assert_array_equal(left, right)


def test_without_compiled_code_numpy_writes_the_same_text(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = random_bundle("linear")
    texts = [TextModel(bundle).generate("the ", length=400, random_seed=5, count=3)]
    monkeypatch.setattr(compiled, "library", lambda: None)
    model = TextModel(bundle)
    assert type(model.stepper) is LinearStepper
    texts.append(model.generate("the ", length=400, random_seed=5, count=3))
    assert texts[0] == texts[1]
