"""The counted n-grams, held to the definition written out plainly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from textgen.errors import BundleError
from textgen.experts import counting
from textgen.experts.counting import order_for
from textgen.experts.kneser_ney import KneserNey
from textgen.inference.ngram_lookup import NgramLookup

VOCABULARY = 7
Gram = tuple[int, ...]


def text_of(length: int = 400, vocabulary: int = VOCABULARY) -> npt.NDArray[np.int64]:
    """Return a text in which some tokens come far more often than others, and after each other."""
    random = np.random.default_rng(3)
    drawn = random.geometric(0.45, length) - 1
    return np.minimum(np.where(random.random(length) < 0.5, drawn, np.roll(drawn, 2)), vocabulary - 1)


class Plainly:
    """Interpolated modified Kneser-Ney, n-gram by n-gram; a text goes on at its beginning."""

    def __init__(self, text: npt.NDArray[np.int64], order: int) -> None:
        around = [*text.tolist(), *text[: order - 1].tolist()]
        self.order = order
        self.longest = Counter(tuple(around[start : start + order]) for start in range(len(text)))
        self.discounts = [self._discounts(counts) for counts in self._all_counts()]

    def _all_counts(self) -> list[Counter[Gram]]:
        counts = [self.longest]
        for _ in range(self.order - 1):
            counts.append(Counter(gram[1:] for gram in counts[-1]))
        return counts[::-1]

    @staticmethod
    def _discounts(counts: Counter[Gram]) -> list[float]:
        times = Counter(counts.values())
        one, two, three, four = (max(1, times[number]) for number in (1, 2, 3, 4))
        share = one / (one + 2 * two)
        found = (1 - 2 * share * two / one, 2 - 3 * share * three / two, 3 - 4 * share * four / three)
        return [0.0, *(min(max(d, 0.1), 0.95 * most) for d, most in zip(found, (1, 2, 3), strict=True))]

    def probabilities(
        self, context: Gram, without: Gram | None = None, longest: int | None = None
    ) -> list[float]:
        """Return all tokens' probabilities; ``without`` is an n-gram that is to count once less."""
        kept = self.longest
        if without is not None and self.longest[without]:
            self.longest = self.longest - Counter([without])
        levels = self._all_counts()
        self.longest = kept
        found = [1 / VOCABULARY] * VOCABULARY
        counted = list(zip(levels, self.discounts, strict=True))[:longest]
        for length, (counts, discounts) in enumerate(counted, start=1):
            before = context[len(context) - (length - 1) :]
            these = [counts[(*before, token)] for token in range(VOCABULARY)]
            total = sum(these)
            if total:
                taken = [discounts[min(count, 3)] for count in these]
                found = [
                    (count - discount) / total + sum(taken) / total * shorter
                    for count, discount, shorter in zip(these, taken, found, strict=True)
                ]
        return found


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_it_is_the_definition(order: int) -> None:
    text = text_of()
    plainly, counted = Plainly(text, order), KneserNey.count(text, VOCABULARY, order)
    contexts = np.random.default_rng(1).integers(0, VOCABULARY, (50, order - 1))
    expected = [plainly.probabilities(tuple(context)) for context in contexts.tolist()]
    found = counted.expect(contexts).probabilities[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert counted.entries == sum(len(counts) for counts in plainly._all_counts())


@pytest.mark.parametrize("order", [1, 2, 4])
def test_a_position_left_out_is_predicted_as_by_the_text_without_it(order: int) -> None:
    text = text_of()
    plainly, counted = Plainly(text, order), KneserNey.count(text, VOCABULARY, order)
    windows = np.stack([text[start : start + order + 20] for start in (0, 57, 200)])
    found = counted.leave_one_out(windows).probabilities
    assert found.shape == (3, 20, VOCABULARY)
    for row, window in enumerate(windows.tolist()):
        for position in range(20):
            gram = tuple(window[position + 1 : position + 1 + order])
            expected = plainly.probabilities(gram[:-1], without=gram)
            np.testing.assert_allclose(found[row, position], expected, rtol=1e-4, atol=1e-6)


def test_of_a_text_that_begins_only_what_was_read_counts() -> None:
    """Without the tokens before it a position is predicted by shorter n-grams, and still left out itself."""
    text = text_of()
    plainly, counted = Plainly(text, 4), KneserNey.count(text, VOCABULARY, 4)
    windows = np.stack([text[start : start + 14] for start in (0, 57)])
    seen = np.array([[3] * 10, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]])
    found, whole = (counted.leave_one_out(windows, known).probabilities for known in (seen, None))
    np.testing.assert_array_equal(found[0], whole[0])
    np.testing.assert_array_equal(found[1, 2:], whole[1, 2:])
    for position in (0, 1):
        gram = tuple(windows[1, position + 1 : position + 5].tolist())
        expected = plainly.probabilities(gram[:-1], without=gram, longest=position + 2)
        np.testing.assert_allclose(found[1, position], expected, rtol=1e-4, atol=1e-6)


def test_what_comes_once_teaches_nothing_of_itself() -> None:
    """A text without repetition tells nothing of what follows, though it was counted."""
    text = np.random.default_rng(1).permutation(3_000)
    counted = KneserNey.count(text, 3_000)
    windows = text[None, 100 : 100 + counted.before + 201]
    seen = counted.expect(windows[:, 1:-1]).probabilities[0]
    left_out = counted.leave_one_out(windows).probabilities[0]
    targets = windows[0, counted.before + 1 :, None]
    assert np.take_along_axis(seen, targets, 1).min() > 0.05
    assert np.take_along_axis(left_out, targets, 1).max() < 0.001


def test_no_position_sees_what_follows() -> None:
    text = text_of()
    counted = KneserNey.count(text, VOCABULARY, 4)
    changed = text.copy()
    changed[60:] = (changed[60:] + 1) % VOCABULARY
    before, after = (counted.leave_one_out(each[None, :100]).probabilities[0] for each in (text, changed))
    # The position that predicts token 60 is left out by another n-gram, and only that.
    np.testing.assert_array_equal(before[:56], after[:56])


@pytest.mark.parametrize("vocabulary", [2, 66, 5_000, 300_000])
def test_no_two_n_grams_are_taken_for_one_another(vocabulary: int) -> None:
    random = np.random.default_rng(vocabulary)
    # Tokens at both ends of the range and their neighbours: what a hash or an overflow would mix up first.
    text = random.choice([0, 1, vocabulary // 2, vocabulary - 2, vocabulary - 1], 2_000)
    counted = KneserNey.count(text, vocabulary)
    order = order_for(vocabulary)
    around = [*text.tolist(), *text[: order - 1].tolist()]
    grams = {
        tuple(around[start : start + length]) for length in range(1, order + 1) for start in range(2_000)
    }
    assert counted.order == order
    assert counted.entries == len(grams)


def test_it_comes_back_from_its_arrays() -> None:
    text = text_of()
    counted = KneserNey.count(text, VOCABULARY, 4)
    again = KneserNey.from_arrays(VOCABULARY, 4, counted.to_arrays())
    contexts = np.random.default_rng(1).integers(0, VOCABULARY, (50, 3))
    found, expected = (model.expect(contexts).probabilities for model in (again, counted))
    np.testing.assert_array_equal(found, expected)


def _cut(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return array[:-1]


def _reversed(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return array[::-1].copy()


def _zeroed(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.zeros_like(array)


def _huge(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.full_like(array, np.iinfo(array.dtype).max)


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("tokens2", _cut),
        ("tokens3", _reversed),
        ("tokens3", _huge),
        ("tokens1", lambda array: array.astype(np.float32)),
        ("tokens1", lambda array: array[:, None]),
        ("counts3", _zeroed),
        ("counts2", _cut),
        ("beneath3", _zeroed),
        ("beneath2", _huge),
        ("beneath3", lambda array: array[:0]),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    name: str, harm: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
) -> None:
    arrays = KneserNey.count(text_of(), VOCABULARY, 3).to_arrays()
    with pytest.raises(BundleError, match="the counts of length"):
        KneserNey.from_arrays(VOCABULARY, 3, {**arrays, name: harm(arrays[name])})


def test_arrays_of_other_lengths_are_refused() -> None:
    arrays = KneserNey.count(text_of(), VOCABULARY, 3).to_arrays()
    for order in (2, 4, 0, 99):
        with pytest.raises(BundleError, match=f"expected {order} lengths"):
            KneserNey.from_arrays(VOCABULARY, order, arrays)


def test_two_texts_are_counted_together_in_the_larger_vocabulary() -> None:
    first, second = text_of(300), text_of(200, vocabulary=5)
    both = KneserNey.count(second, 5, 3).joined(KneserNey.count(first, VOCABULARY, 3))
    assert both.vocabulary == VOCABULARY
    whole = KneserNey.count(np.concatenate([first, second]), VOCABULARY, 3)
    contexts = np.random.default_rng(1).integers(0, VOCABULARY, (50, 2))
    # They differ by the few n-grams across the ends.
    found = both.expect(contexts).probabilities
    np.testing.assert_allclose(found, whole.expect(contexts).probabilities, atol=0.05)
    alone = KneserNey.count(first, VOCABULARY, 3)
    assert np.abs(found - alone.expect(contexts).probabilities).max() > 0.05


def test_of_a_long_text_pieces_from_all_over_it_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "COUNTED_TOKENS", 6_400)
    text = np.repeat(np.arange(10), 10_000)
    counted = KneserNey.count(text, 10, 2)
    assert counted.to_arrays()["tokens1"].tolist() == list(range(10))
    assert int(counted.to_arrays()["counts2"].sum()) == 6_400


@pytest.mark.parametrize("together", [1, 5, 40])
def test_what_is_kept_at_hand_changes_nothing(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textgen.inference.ngram_lookup._KEPT_BYTES", 60 * 4 * VOCABULARY)
    counted = KneserNey.count(text_of(), VOCABULARY, 5)
    contexts = np.random.default_rng(1).integers(0, VOCABULARY, (400, 4)).astype(np.float32)
    expected = counted.expect(contexts.astype(np.int64))
    lookup = NgramLookup(counted)
    for _ in range(2):
        for start in range(0, 400, together):
            found = lookup.expect(contexts[start : start + together])
            for name in ("probabilities", "confidences"):
                np.testing.assert_array_equal(
                    getattr(found, name), getattr(expected, name)[start : start + together]
                )
