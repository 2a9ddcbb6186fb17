"""The expert for words, held to its definition written out plainly."""

from __future__ import annotations

import itertools
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from textgen.errors import BundleError
from textgen.experts.chains import counting as chain_counting
from textgen.experts.chains.chain import BEFORE, LEVELS
from textgen.experts.expert import Expected
from textgen.experts.words import Words
from textgen.experts.words.contexts import JOINER, LETTER, SEPARATOR, WHOLE, kinds_of

SYMBOLS = "\0 \n,abcde"
"""The first one is the unknown token."""

KINDS = kinds_of(list(SYMBOLS))
Context = tuple[tuple[int, str], ...]


def text_of(length: int = 700, seed: int = 3) -> str:
    """Return a text of few words, so that they come again after each other."""
    random = np.random.default_rng(seed)
    words = ["a", "b", "ab", "abc", "bad", "badcab", "ebb", "dace", "decade", "cab"]
    drawn = random.geometric(0.25, length) - 1
    gaps = random.choice([" ", " ", " ", ", ", "\n", ",\n"], length)
    return "".join(words[min(n, 9)] + gap for n, gap in zip(drawn, gaps, strict=True))[:length]


def tokens_of(text: str) -> npt.NDArray[np.int64]:
    return np.array([SYMBOLS.index(symbol) for symbol in text])


def contexts_after(text: str) -> list[Context]:
    """Return the contexts of the next character, from the shortest to the longest."""
    padded = "\0" * BEFORE + text
    pieces = re.findall("[a-e]+|[^a-e]+", padded)
    word = pieces.pop() if padded[-1] in "abcde" else ""
    gap = pieces.pop()
    before = pieces.pop() if pieces else None
    second_gap = pieces.pop() if pieces else ""
    second = pieces.pop() if pieces else None
    reached = [(level, padded[-level], level) for level in (1, 2, 3)]
    length = len(word)
    reached.append((4, word, length))
    for level, piece, skipped in ((5, gap, ""), (6, before, ""), (7, second, second_gap)):
        if piece is None:
            break
        length += len(piece) + len(skipped)
        reached.append((level, piece, length))
    found, context, reach = [()], (), 0
    for level, piece, length in reached:
        if length > reach:
            if length > BEFORE - 2:
                break
            context, reach = (*context, (level, piece)), length
            found.append(context)
    return found


class Plainly:
    """Modified Kneser-Ney down the chain, context by context."""

    def __init__(self, text: str, without: int | None = None) -> None:
        self.came: Counter[Context] = Counter()
        self.counts: defaultdict[Context, Counter[str]] = defaultdict(Counter)
        chains = [contexts_after(text[:place]) for place in range(len(text))]
        for place, chain in enumerate(chains):
            if place != without:
                self.came.update(chain)
                self.counts[chain[-1]][text[place]] += 1
        for length in range(LEVELS, 0, -1):
            for context in [each for each in self.counts if len(each) == length]:
                for symbol in self.counts[context]:
                    self.counts[context[:-1]][symbol] += 1

    @cached_property
    def discounts(self) -> dict[int, list[float]]:
        found = {}
        for level in range(LEVELS + 1):
            times = Counter(
                number
                for context, after in self.counts.items()
                for number in after.values()
                if (context[-1][0] if context else 0) == level
            )
            one, two, three, four = (max(1, times[number]) for number in (1, 2, 3, 4))
            share = one / (one + 2 * two)
            estimates = 1 - 2 * share * two / one, 2 - 3 * share * three / two, 3 - 4 * share * four / three
            found[level] = [
                0.0,
                *(min(max(d, 0.1), 0.95 * most) for d, most in zip(estimates, (1, 2, 3), strict=True)),
            ]
        return found

    def expect(
        self, chain: Sequence[Context], discounts: dict[int, list[float]], seen: int = BEFORE
    ) -> tuple[list[float], list[float]]:
        """Return the probabilities of all tokens and the confidences of all levels."""
        found = [1 / len(SYMBOLS)] * len(SYMBOLS)
        confidences = [0.0, 1.0] * LEVELS
        for context in chain:
            level = context[-1][0] if context else 0
            after = self.counts.get(context, Counter())
            total = sum(after.values())
            if not total or (level >= 6 and self.came[context] < 2) or _length(context) > seen:
                break
            taken = [discounts[level][min(after[symbol], 3)] for symbol in SYMBOLS]
            found = [
                (after[symbol] - discount) / total + sum(taken) / total * shorter
                for symbol, discount, shorter in zip(SYMBOLS, taken, found, strict=True)
            ]
            if level:
                confidences[2 * level - 2 : 2 * level] = np.log1p(total) / 8, sum(taken) / total
        return found, confidences


def _length(context: Context) -> int:
    """How far a context reaches back; the gap between two words is one character long or more."""
    return sum(len(piece) for level, piece in context if level > 3) if len(context) > 3 else len(context)


def expected_by(words: Words, text: str) -> Expected:
    """What is expected of each character of a text that begins."""
    padded = np.concatenate([np.zeros(BEFORE, np.int64), tokens_of(text)])
    return words.expect(padded[None, :-1])


def test_it_is_the_definition() -> None:
    text, other = text_of(), text_of(150, seed=9)
    plainly, words = Plainly(text), Words.count(tokens_of(text), len(SYMBOLS), KINDS)
    found = expected_by(words, other)
    np.testing.assert_allclose(found.probabilities.sum(axis=-1), 1, rtol=1e-5)
    for place in range(len(other)):
        expected, confidences = plainly.expect(contexts_after(other[:place]), plainly.discounts)
        np.testing.assert_allclose(found.probabilities[0, place], expected, rtol=1e-4)
        np.testing.assert_allclose(found.confidences[0, place], confidences, rtol=1e-4)


def test_a_position_left_out_is_predicted_as_by_the_text_without_it() -> None:
    text = text_of(400)
    discounts, words = Plainly(text).discounts, Words.count(tokens_of(text), len(SYMBOLS), KINDS)
    padded = np.concatenate([np.zeros(BEFORE + 1, np.int64), tokens_of(text)])
    windows = np.stack([padded[start : start + BEFORE + 41] for start in (0, 150, 330)])
    found = words.leave_one_out(windows)
    assert found.probabilities.shape == (3, 40, len(SYMBOLS))
    for row, start in enumerate((0, 150, 330)):
        for time in range(row, 40, 4):
            place = start + time
            without = Plainly(text, without=place)
            expected, confidences = without.expect(contexts_after(text[:place]), discounts)
            np.testing.assert_allclose(found.probabilities[row, time], expected, rtol=1e-3, atol=1e-6)
            np.testing.assert_allclose(found.confidences[row, time], confidences, rtol=1e-3)


def test_what_comes_once_teaches_nothing_of_itself() -> None:
    random = np.random.default_rng(1)
    text = random.permutation(np.arange(4, 3_004))
    kinds = np.full(3_004, LETTER, np.uint8)
    words = Words.count(text, 3_004, kinds)
    windows = text[None, 100 : 100 + BEFORE + 201]
    left_out = words.leave_one_out(windows).probabilities[0]
    assert np.take_along_axis(left_out, windows[0, BEFORE + 1 :, None], 1).max() < 0.001


def test_of_a_text_that_begins_only_what_was_read_counts() -> None:
    text = text_of()
    words = Words.count(tokens_of(text), len(SYMBOLS), KINDS)
    window = tokens_of(text)[None, 200 : 200 + BEFORE + 31]
    seen = 1 + np.arange(30)[None]
    begun, whole = words.leave_one_out(window, seen), words.leave_one_out(window)
    # The first position knows one character: all that lies further back is unknown.
    np.testing.assert_array_equal(begun.confidences[0, 0, 2:], [0, 1] * (LEVELS - 1))
    np.testing.assert_array_equal(begun.confidences[0, 0, :2], whole.confidences[0, 0, :2])
    assert not np.array_equal(begun.probabilities[0, 3], whole.probabilities[0, 3])
    np.testing.assert_array_equal(begun.probabilities[0, -1], whole.probabilities[0, -1])


def test_no_position_sees_what_follows() -> None:
    text = tokens_of(text_of())
    words = Words.count(text, len(SYMBOLS), KINDS)
    changed = text.copy()
    changed[60:] = (changed[60:] + 1) % len(SYMBOLS)
    before, after = (words.expect(each[None, :120]).probabilities[0] for each in (text, changed))
    np.testing.assert_array_equal(before[: 61 - BEFORE], after[: 61 - BEFORE])


def test_a_text_read_at_once_or_step_by_step_is_the_same() -> None:
    text = text_of()
    words = Words.count(tokens_of(text), len(SYMBOLS), KINDS)
    # A word as long as what is looked at, and joiners and wholes where a window begins.
    odd = "ab" * BEFORE + text_of(200, seed=5) + " " * BEFORE + "abc"
    kinds = words.kinds.copy()
    kinds[SYMBOLS.index(",")], kinds[SYMBOLS.index("e")] = JOINER, WHOLE
    words = Words.count(tokens_of(text), len(SYMBOLS), kinds)
    whole = expected_by(words, odd)
    padded = np.concatenate([np.zeros(BEFORE, np.int64), tokens_of(odd)])
    steps = words.expect(np.lib.stride_tricks.sliding_window_view(padded[:-1], BEFORE))
    np.testing.assert_array_equal(steps.probabilities[:, 0], whole.probabilities[0])
    np.testing.assert_array_equal(steps.confidences[:, 0], whole.confidences[0])


@pytest.mark.parametrize(
    ("characters", "kind"),
    [
        ("aéßσж٣अا가", LETTER),
        ("\N{COMBINING ACUTE ACCENT}_", LETTER),
        ("'’", JOINER),
        ("漢ひไ", WHOLE),
        (" \n.,!-…「", SEPARATOR),
    ],
)
def test_words_are_found_in_any_script(characters: str, kind: int) -> None:
    assert set(kinds_of(list(characters))) == {kind}


def test_of_a_long_text_pieces_from_all_over_it_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain_counting, "COUNTED_TOKENS", 6_400)
    text = np.repeat(np.arange(4, 9), 10_000)
    words = Words.count(text, len(SYMBOLS), KINDS)
    assert words.counted.counts.last[: words.counted.counts.starts[1]].tolist() == [4, 5, 6, 7, 8]
    assert words.entries < 10_000


def test_it_comes_back_from_its_arrays() -> None:
    words = Words.count(tokens_of(text_of()), len(SYMBOLS), KINDS)
    again = Words.from_arrays(len(SYMBOLS), words.to_arrays())
    found, expected = (expected_by(each, text_of(100, seed=8)) for each in (again, words))
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)
    np.testing.assert_array_equal(found.confidences, expected.confidences)


def test_two_texts_are_counted_together() -> None:
    first, second = text_of(800), text_of(600, seed=5)
    parts = [Words.count(tokens_of(text), len(SYMBOLS), KINDS) for text in (first, second)]
    both = parts[0].joined(parts[1])
    whole = Words.count(tokens_of(first + second), len(SYMBOLS), KINDS)
    other = text_of(300, seed=6)

    def loss(words: Words) -> float:
        found = expected_by(words, other).probabilities[0]
        return -float(np.log(found[np.arange(len(other)), tokens_of(other)]).mean())

    assert loss(both) == pytest.approx(loss(whole), abs=0.05)
    assert loss(both) < min(map(loss, parts))
    np.testing.assert_allclose(expected_by(both, other).probabilities.sum(axis=-1), 1, rtol=1e-5)


def _cut(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return array[:-1]


def _emptied(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return array[:0]


def _filled(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.full_like(array, 255)


def _widened(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return array.astype(np.int64)


def _repacked(change: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]) -> Callable[[Any], Any]:
    """Change the numbers inside a deflated array."""

    def harm(array: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        size = int(array[0])
        plain = np.frombuffer(zlib.decompress(array[1:].tobytes()), f"<u{size}")
        changed = change(plain).astype(f"<u{size}")
        return np.frombuffer(bytes([size]) + zlib.compress(changed.tobytes()), np.uint8)

    return harm


DEFLATED = (
    "pieces",
    "pieces_beneath",
    "contexts",
    "contexts_beneath",
    "often",
    "entries",
    "tokens",
    "counts",
)


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        *itertools.product(("kinds", "discounts"), (_cut, _emptied, _filled, _widened)),
        *itertools.product(DEFLATED, (_cut, _emptied, _filled, _widened)),
        *itertools.product(DEFLATED, [_repacked(_cut)]),
        *itertools.product(DEFLATED[:-1], [_repacked(_filled)]),
        *itertools.product(
            ("pieces", "contexts", "entries", "counts", "tokens", "pieces_beneath"),
            [_repacked(np.zeros_like)],
        ),
        ("contexts", _repacked(lambda array: array ^ 7)),
        ("contexts", _repacked(lambda array: array + 8_000)),
        ("contexts_beneath", _repacked(lambda array: array[::-1])),
        ("tokens", _repacked(lambda array: array[::-1])),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    name: str, harm: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
) -> None:
    arrays = Words.count(tokens_of(text_of()), len(SYMBOLS), KINDS).to_arrays()
    with pytest.raises(BundleError, match=r"words|characters"):
        Words.from_arrays(len(SYMBOLS), {**arrays, f"words.{name}": harm(arrays[f"words.{name}"])})


def test_a_bomb_is_not_inflated() -> None:
    arrays = Words.count(tokens_of(text_of()), len(SYMBOLS), KINDS).to_arrays()
    bomb = np.frombuffer(b"\1" + zlib.compress(bytes(200 << 20)), np.uint8)
    with pytest.raises(BundleError, match="too many"):
        Words.from_arrays(len(SYMBOLS), {**arrays, "words.tokens": bomb})
