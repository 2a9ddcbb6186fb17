"""The expert of long contexts, held to its definition written out plainly."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

import numpy as np
import numpy.typing as npt
import pytest

from textgen.errors import BundleError
from textgen.experts.chains.chain import BEFORE, LEVELS
from textgen.experts.expert import Expected
from textgen.experts.long import FIRST_RARE, REACH, Long, repeated
from textgen.experts.ngram_order import discounts_of

VOCABULARY = 6
Context = tuple[int, ...]


def text_of(length: int = 600, seed: int = 3) -> npt.NDArray[np.int64]:
    """Return a text that repeats itself: copies of a few passages, and something new between them."""
    random = np.random.default_rng(seed)
    passages = random.integers(1, VOCABULARY, (5, 40))
    parts = [
        np.concatenate([passages[random.integers(5), : random.integers(10, 40)], random.integers(1, 6, 5)])
        for _ in range(length // 10)
    ]
    return np.concatenate(parts)[:length]


class Plainly:
    """Modified Kneser-Ney over the contexts of `REACH`, one after the other."""

    def __init__(self, text: npt.NDArray[np.int64], without: int | None = None) -> None:
        padded = [0] * BEFORE + text.tolist()
        came: Counter[Context] = Counter()
        self.counts: defaultdict[Context, Counter[int]] = defaultdict(Counter)
        for place in range(BEFORE, len(padded)):
            if place - BEFORE != without:
                came.update(tuple(padded[place - reach : place]) for reach in REACH)
                self.counts[tuple(padded[place - REACH[-1] : place])][padded[place]] += 1
        for longer, shorter in itertools.pairwise([*reversed(REACH), 0]):
            for context in [each for each in self.counts if len(each) == longer]:
                for token in self.counts[context]:
                    self.counts[context[longer - shorter :]][token] += 1
        self.rare = {each for each in came if len(each) >= REACH[FIRST_RARE - 1] and came[each] < 2}
        self.discounts = {
            length: discounts_of(
                [
                    sum(
                        number == times
                        for context, after in self.counts.items()
                        if len(context) == length
                        for number in after.values()
                    )
                    for times in (1, 2, 3, 4)
                ]
            )
            for length in (0, *REACH)
        }

    def expect(
        self, before: npt.NDArray[np.int64], discounts: dict[int, npt.NDArray[np.float32]]
    ) -> tuple[npt.NDArray[np.float64], list[float]]:
        """Return the probabilities of all tokens and the confidences of all levels."""
        padded = [0] * BEFORE + before.tolist()
        found, confidences = np.full(VOCABULARY, 1 / VOCABULARY), [0.0, 1.0] * LEVELS
        for level, reach in enumerate((0, *REACH)):
            context = tuple(padded[len(padded) - reach :])
            after = np.array([self.counts[context][token] for token in range(VOCABULARY)])
            if not after.sum() or context in self.rare:
                break
            taken = discounts[reach][np.minimum(after, 3)]
            share = taken.sum() / after.sum()
            found = (after - taken) / after.sum() + share * found
            if level:
                confidences[2 * level - 2 : 2 * level] = np.log1p(after.sum()) / 8, share
        return found, confidences


def expected_by(long: Long, text: npt.NDArray[np.int64]) -> Expected:
    """What is expected of each token of a text that begins."""
    return long.expect(np.concatenate([np.zeros(BEFORE, np.int64), text])[None, :-1])


def test_it_is_the_definition() -> None:
    text = text_of()
    other = np.concatenate([text[100:180], text_of(60, seed=9)])
    plainly, found = Plainly(text), expected_by(Long.count(text, VOCABULARY), other)
    for place in range(len(other)):
        expected, confidences = plainly.expect(other[:place], plainly.discounts)
        np.testing.assert_allclose(found.probabilities[0, place], expected, rtol=1e-4)
        np.testing.assert_allclose(found.confidences[0, place], confidences, rtol=1e-4)
    assert (found.confidences[0, :, 2 * LEVELS - 2] > 0).sum() > 10


def test_a_position_left_out_is_predicted_as_by_the_text_without_it() -> None:
    text = text_of(400)
    discounts, long = Plainly(text).discounts, Long.count(text, VOCABULARY)
    padded = np.concatenate([np.zeros(BEFORE + 1, np.int64), text])
    found = long.leave_one_out(padded[None, 150 : 150 + BEFORE + 61])
    for time in range(0, 60, 3):
        without = Plainly(text, without=150 + time)
        expected, confidences = without.expect(text[: 150 + time], discounts)
        np.testing.assert_allclose(found.probabilities[0, time], expected, rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(found.confidences[0, time], confidences, rtol=1e-3)


def test_a_text_that_came_before_is_known_by_heart() -> None:
    text = text_of(3_000)
    known = text[1_000:1_200]
    found = expected_by(Long.count(text, VOCABULARY), known).probabilities[0]
    assert np.median(found[np.arange(200), known]) > 0.85


def test_it_comes_back_from_its_arrays_and_others_are_refused() -> None:
    long = Long.count(text_of(), VOCABULARY)
    arrays = long.to_arrays()
    again = Long.from_arrays(VOCABULARY, arrays)
    found, expected = (expected_by(each, text_of(100, seed=8)) for each in (again, long))
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)
    np.testing.assert_array_equal(found.confidences, expected.confidences)
    for name in arrays:
        with pytest.raises(BundleError, match="long"):
            Long.from_arrays(VOCABULARY, {**arrays, name: arrays[name][:-1]})
        with pytest.raises(BundleError, match="long"):
            Long.from_arrays(VOCABULARY, {other: array for other, array in arrays.items() if other != name})


def test_two_texts_are_counted_together() -> None:
    first, second = text_of(800), text_of(600, seed=5)
    parts = [Long.count(text, VOCABULARY) for text in (first, second)]
    both = parts[0].joined(parts[1])
    for text in (first, second):
        known = expected_by(both, text[100:300]).probabilities[0]
        assert np.median(known[np.arange(200), text[100:300]]) > 0.8


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (np.arange(5_000) * 7_919 % 60_013, 0.0, 0.0),
        (np.tile(np.arange(500), 4), 0.7, 0.8),
        (np.zeros(3, np.int64), 0.0, 1.0),
        (np.zeros(1, np.int64), 0.0, 0.0),
    ],
)
def test_how_much_of_a_text_repeats_itself(text: npt.NDArray[np.int64], least: float, most: float) -> None:
    assert least <= repeated(text) <= most
