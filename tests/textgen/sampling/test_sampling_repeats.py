"""Rows of blanks and repeated phrases end as the model expects, however low the temperature."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import textgen
from textgen.sampling import SamplingSettings, engine
from textgen.sampling.controls import Controls
from textgen.sampling.repeats import keep_chance, run_at_end


def softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max())
    return np.asarray(weights / weights.sum())


@given(
    st.lists(st.floats(-30, 30), min_size=2, max_size=20),
    st.sets(st.integers(0, 19), min_size=1, max_size=3),
    st.floats(1e-3, 10),
    st.integers(0, 3),
    st.booleans(),
)
def test_temperature_leaves_some_tokens_chance_as_it_is_and_chooses_among_them_and_among_the_rest(
    given_logits: list[float], some: set[int], temperature: float, ruled_out: int, at_most: bool
) -> None:
    chosen = sorted({token % len(given_logits) for token in some})
    logits = np.array(given_logits)
    logits[[each for each in range(ruled_out) if each < len(logits) and each not in chosen]] = -np.inf
    before, plain = softmax(logits), softmax(logits / temperature)
    rest = np.array([token not in chosen for token in range(len(logits))])
    if not before[rest].any():
        return
    shares = softmax(logits[chosen] / temperature), softmax(logits[rest] / temperature)
    keep_chance(logits, chosen, temperature, at_most=at_most)
    after, chance = softmax(logits / temperature), before[chosen].sum()
    if at_most:
        chance = min(chance, plain[chosen].sum())
    np.testing.assert_allclose(after[chosen], chance * shares[0], rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(after[rest], (1 - chance) * shares[1], rtol=1e-5, atol=1e-12)


def test_what_must_come_or_cannot_come_stays_so() -> None:
    only = np.array([-np.inf, 3.0, -np.inf])
    keep_chance(only, [1], 0.5)
    np.testing.assert_array_equal(only, [-np.inf, 3.0, -np.inf])
    never = np.array([1.0, -np.inf, 2.0])
    keep_chance(never, [1], 0.5)
    np.testing.assert_array_equal(never, [1.0, -np.inf, 2.0])


def test_only_what_followed_the_last_token_is_a_repeat() -> None:
    # In this text 1 was followed by 2 and by 3, and it ends with 1.
    controls = Controls(SamplingSettings(temperature=0.25), [1, 2, 1, 3], untempered_repeats=True)
    controls.remember(1)
    logits = np.log([0.1, 0.1, 0.5, 0.2, 0.1])
    controls.apply(logits)
    chances = softmax(logits / 0.25)
    assert chances[[2, 3]].sum() == pytest.approx(0.7)
    np.testing.assert_allclose(chances[[0, 1, 4]], 0.1)


@pytest.mark.parametrize("temperature", [0, 1, 1.5])
def test_a_repeat_changes_nothing_where_the_temperature_is_not_low(temperature: float) -> None:
    assert not Controls(SamplingSettings(temperature=temperature), [1, 1], untempered_repeats=True).active


@given(
    st.lists(st.integers(0, 3), max_size=12),
    st.lists(st.integers(0, 3), max_size=6),
    st.lists(st.integers(0, 3), max_size=6),
    st.lists(st.integers(0, 3), max_size=6),
    st.integers(1, 3),
)
def test_going_back_forgets_what_came_after(
    prompt: list[int], kept: list[int], dropped: list[int], other: list[int], n: int
) -> None:
    settings = SamplingSettings(
        temperature=0.5, repetition_penalty=1.5, repetition_window=4, no_repeat_ngram=n, top_p=0.9
    )
    gone, never = (Controls(settings, prompt, untempered_repeats=True) for _ in range(2))
    for token in kept:
        gone.remember(token)
    place = gone.mark()
    # Twice: a place can be gone back to again and again.
    for tokens in (dropped, other):
        for token in tokens:
            gone.remember(token)
        gone.back(place)
    for token in kept:
        never.remember(token)
    for token in other:
        gone.remember(token)
        never.remember(token)
    after, expected = np.array([0.0, 1, 2, 3]), np.array([0.0, 1, 2, 3])
    gone.apply(after)
    never.apply(expected)
    np.testing.assert_array_equal(after, expected)


@pytest.mark.parametrize(("text", "run"), [([7], 1), ([1, 1, 1], 3), ([1, 2, 2], 2), ([2, 2, 1], 1)])
def test_the_run_at_the_end_of_a_seed_counts(text: list[int], run: int) -> None:
    assert run_at_end(np.array(text)) == run


@pytest.fixture(scope="module")
def indented(tmp_path_factory: pytest.TempPathFactory) -> textgen.model.TextModel:
    """A model of lines that begin with 4 to 32 blanks and then with a word of any letter."""
    folder = tmp_path_factory.mktemp("indented")
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=5)) for _ in range(200)]
    lines = (" " * chance.randrange(4, 33, 4) + " ".join(chance.choices(words, k=3)) for _ in range(3_000))
    (folder / "input.txt").write_text("\n".join(lines))
    textgen.train(folder, output=folder / "model", time_limit=1)
    return textgen.load(folder / "model")


def longest_blank(model: textgen.model.TextModel, seed: str, **settings: float) -> int:
    wanted = SamplingSettings(600, random_seed=1, count=16, **settings)  # type: ignore[arg-type]
    texts = [sample.text for sample in model.samples(seed, wanted)]
    return max(
        len(list(run)) for text in texts for character, run in itertools.groupby(text) if character == " "
    )


@pytest.mark.parametrize("seed", ["", "\n" + 8 * " "])
@pytest.mark.slow
def test_a_low_temperature_writes_no_endless_blanks(
    indented: textgen.model.TextModel, seed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    natural = longest_blank(indented, seed, temperature=1)
    assert longest_blank(indented, seed, temperature=0.4) < 2 * natural
    monkeypatch.setattr(engine, "SHORTEST_RUN", 10_000)
    assert longest_blank(indented, seed, temperature=0.4) > 2 * natural


def test_a_text_with_runs_does_not_depend_on_its_company(indented: textgen.model.TextModel) -> None:
    several = indented.samples("", SamplingSettings(300, 0.5, random_seed=5, count=7))
    for sample in several:
        alone = indented.generate("", length=300, temperature=0.5, random_seed=sample.random_seed)
        assert alone == sample.text
