"""Each sampling control does what its definition says, checked against slow code written from it."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.sampling import SamplingSettings
from textgen.sampling.controls import Controls, keep_min_p, keep_top_k, keep_top_p, keep_typical_p
from textgen.sampling.draw import Draw

# Whole tenths, so that ties are common and no bound falls between two neighbouring floats.
LOGITS = st.lists(st.integers(-80, 80), min_size=2, max_size=40).map(lambda tenths: [t / 10 for t in tenths])
TOKENS = st.lists(st.integers(0, 5), max_size=40)


def kept(control: object, logits: list[float], value: float) -> set[int]:
    array = np.array(logits)
    control(array, value)  # type: ignore[operator]
    unchanged = {token for token, logit in enumerate(array) if logit == logits[token]}
    assert unchanged == {token for token, logit in enumerate(array) if logit > -math.inf}
    return unchanged


def ranked(logits: list[float]) -> list[int]:
    """The likeliest first; of equal ones the lower number."""
    return sorted(range(len(logits)), key=lambda token: (-logits[token], token))


def probabilities(logits: list[float]) -> list[float]:
    weights = [math.exp(logit) for logit in logits]
    return [weight / math.fsum(weights) for weight in weights]


@given(LOGITS, st.integers(1, 50))
def test_top_k_keeps_the_k_likeliest(logits: list[float], k: int) -> None:
    assert kept(keep_top_k, logits, k) == set(ranked(logits)[:k])


@settings(max_examples=300)
@given(LOGITS, st.floats(0.001, 0.999))
def test_top_p_keeps_the_smallest_set_that_is_at_least_so_probable(logits: list[float], p: float) -> None:
    chances, order = probabilities(logits), ranked(logits)
    found = kept(keep_top_p, logits, p)
    for size in range(1, len(order) + 1):
        total = math.fsum(chances[token] for token in order[:size])
        if abs(total - p) < 1e-9:
            return  # on the bound, rounding decides
        if total >= p:
            assert found == set(order[:size])
            return
    pytest.fail("all tokens together have the probability 1")


@given(LOGITS, st.integers(1, 99))
def test_min_p_keeps_what_is_so_likely_relative_to_the_likeliest(logits: list[float], percent: int) -> None:
    chances = probabilities(logits)
    bar = percent / 100 * max(chances)
    assert kept(keep_min_p, logits, percent / 100) == {
        token for token, chance in enumerate(chances) if chance >= bar
    }


@settings(max_examples=300)
@given(LOGITS, st.floats(0.001, 0.999))
def test_typical_p_keeps_those_whose_surprise_is_closest_to_the_expected(
    logits: list[float], p: float
) -> None:
    chances = probabilities(logits)
    entropy = -math.fsum(chance * math.log(chance) for chance in chances)
    distances = [abs(-math.log(chance) - entropy) for chance in chances]
    found = kept(keep_typical_p, logits, p)
    left_out = set(range(len(logits))) - found
    # Whatever is kept is at least as typical as what is not, and nothing of it could be spared.
    if left_out:
        assert max(distances[token] for token in found) <= min(distances[token] for token in left_out) + 1e-8
    total = math.fsum(chances[token] for token in found)
    assert total >= p - 1e-9
    least_typical = max(found, key=lambda token: (round(distances[token], 9), token))
    assert total - chances[least_typical] < p + 1e-9


def test_typical_p_may_rule_out_the_likeliest() -> None:
    """One likely token among many unlikely ones has less surprise than the model expects."""
    logits = [math.log(0.3), *[math.log(0.7 / 20)] * 20]
    assert kept(keep_typical_p, logits, 0.5) == set(range(1, 16))


@given(
    LOGITS.filter(lambda logits: len(logits) >= 6), TOKENS, st.integers(1, 12), st.sampled_from([0.5, 1.3, 4])
)
def test_the_repetition_penalty_is_that_of_ctrl_over_the_last_tokens(
    logits: list[float], text: list[int], window: int, penalty: float
) -> None:
    cut = len(text) // 2
    controls = Controls(SamplingSettings(repetition_penalty=penalty, repetition_window=window), text[:cut])
    for token in text[cut:]:
        controls.remember(token)
    changed = np.array(logits)
    controls.apply(changed)
    for token, logit in enumerate(logits):
        expected = logit
        if token in text[-window:]:
            expected = logit / penalty if logit > 0 else logit * penalty
        assert changed[token] == expected


@given(TOKENS, st.integers(1, 4))
def test_no_n_gram_comes_twice(text: list[int], n: int) -> None:
    """A token is ruled out where the text would then hold some run of n tokens twice that ends with it."""
    cut = len(text) // 2
    controls = Controls(SamplingSettings(no_repeat_ngram=n), text[:cut])
    for token in text[cut:]:
        controls.remember(token)
    logits = np.zeros(6)
    controls.apply(logits)
    runs = {tuple(text[start : start + n]) for start in range(len(text) - n + 1)}
    forbidden = {token for token in range(6) if len(text) >= n - 1 and tuple([*text, token][-n:]) in runs}
    expected = forbidden if len(forbidden) < 6 else set()
    assert {token for token in range(6) if logits[token] == -math.inf} == expected


def test_a_text_that_may_not_repeat_itself_goes_on_when_nothing_else_is_left() -> None:
    controls = Controls(SamplingSettings(no_repeat_ngram=1, temperature=0), [])
    drawn = []
    for _ in range(5):
        logits = np.array([-math.inf, 3.0, 2.0, 1.0])
        controls.apply(logits)
        drawn.append(int(logits.argmax()))
        controls.remember(drawn[-1])
    assert drawn == [1, 2, 3, 1, 1]


def test_the_controls_apply_in_the_documented_order() -> None:
    logits = [-math.inf, 4.0, 3.9, 3.0, 2.0, 1.0]
    given = SamplingSettings(temperature=5, top_k=3, top_p=0.9, min_p=0.5, repetition_penalty=2.0)
    controls = Controls(given, [1])
    array = np.array(logits)
    controls.apply(array)
    # The penalty halves token 1 to 2.0, level with token 4. Top-k keeps 2, 3 and, as the lower
    # number, 1; these have the probabilities 0.64, 0.26, 0.10: top-p drops 1; min-p drops 3, at 0.41.
    assert [token for token, logit in enumerate(array) if logit > -math.inf] == [2]


def test_the_cuts_do_not_depend_on_the_temperature() -> None:
    logits = np.random.default_rng(0).normal(0, 3, 30)
    cold, hot = logits.copy(), logits.copy()
    Controls(SamplingSettings(temperature=0.1, top_p=0.8, min_p=0.05), []).apply(cold)
    Controls(SamplingSettings(temperature=9, top_p=0.8, min_p=0.05), []).apply(hot)
    np.testing.assert_array_equal(cold, hot)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"top_p": 1.0},
        {"min_p": 0},
        {"typical_p": 1},
        {"repetition_penalty": 1},
        {"temperature": 0, "top_k": 5, "top_p": 0.1},
    ],
)
def test_controls_that_change_nothing_cost_nothing(values: dict[str, float]) -> None:
    assert not Controls(SamplingSettings(**values), [1, 2]).active  # type: ignore[arg-type]


@given(
    st.lists(LOGITS.filter(lambda logits: max(logits[1:]) > -5), min_size=1, max_size=6),
    st.sampled_from([0.3, 1.0, 2.5]),
    st.floats(0, 1, exclude_max=True),
)
def test_the_draw_inverts_the_cumulative_distribution(
    rows: list[list[float]], temperature: float, uniform: float
) -> None:
    width = min(map(len, rows))
    for row in rows:
        del row[width:]
    drawn = Draw([temperature] * len(rows))(np.array(rows), np.full(len(rows), uniform))
    for row, token in zip(rows, drawn, strict=True):
        chances = probabilities([logit / temperature for logit in row])
        bounds = [0.0, *itertools.accumulate(chances)]
        assert bounds[token] - 1e-9 <= uniform <= bounds[token + 1] + 1e-9


@pytest.mark.parametrize("batch", [1, 2, 7, 32])
def test_a_row_is_drawn_the_same_in_every_batch(batch: int) -> None:
    random = np.random.default_rng(batch)
    for vocabulary in (3, 80, 1_000):
        logits = random.normal(0, 4, (batch, vocabulary))
        temperatures = random.choice([0, 1e-9, 0.7, 3.0], batch)
        uniforms = random.random(batch)
        together = Draw(temperatures.tolist())(logits.copy(), uniforms)
        alone = [
            Draw([temperatures[row]])(logits[row : row + 1].copy(), uniforms[row : row + 1])[0]
            for row in range(batch)
        ]
        assert together.tolist() == alone


def test_tokens_are_drawn_with_the_probabilities_of_the_definition() -> None:
    logits, draws = [1.0, 0.0, -1.0, 2.0], 20_000
    uniforms = (np.arange(draws) + 0.5) / draws
    drawn = Counter(Draw([1.7] * draws)(np.tile(logits, (draws, 1)), uniforms).tolist())
    for token, chance in enumerate(probabilities([logit / 1.7 for logit in logits])):
        assert drawn[token] / draws == pytest.approx(chance, abs=2e-4)


@pytest.mark.parametrize("uniform", [0.0, 0.5, 1 - 2**-53])
@pytest.mark.parametrize("temperature", [5e-324, 1e-9, 1e-3, 10.0])
def test_extreme_temperatures_and_logits_give_a_token(temperature: float, uniform: float) -> None:
    logits = np.array([[-np.inf, -1e30, 700.0, 699.0, -np.inf]])
    assert Draw([temperature])(logits, np.array([uniform]))[0] in {2, 3}


def test_a_number_that_rounding_puts_past_the_end_takes_the_last_token_that_can_come() -> None:
    # A third thrice: the cumulative sum may fall short of a bound that was rounded up.
    logits = np.array([[0.0, 0.0, 0.0, -np.inf]])
    assert Draw([1.0])(logits, np.array([1.0])).tolist() == [2]


def test_of_a_large_vocabulary_top_p_sorts_few_and_keeps_the_same() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0, 3, 30_000)
    weights = [Fraction(float(weight)) for weight in np.exp(logits - logits.max())]
    order = sorted(range(len(weights)), key=lambda token: (-weights[token], token))
    bound, total, size = Fraction(9, 10) * sum(weights), Fraction(0), 0
    while total < bound:
        total += weights[order[size]]
        size += 1
    keep_top_p(logits, 0.9)
    assert set(np.flatnonzero(logits > -np.inf).tolist()) == set(order[:size])
