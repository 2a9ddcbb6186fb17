"""What reads a person's text takes time that grows with its length, not with the square of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import accumulate

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.growth import LARGEST_GROWTH, growth
from tests.hostile import FAMILIES
from textgen.graphemes import grapheme_ends, graphemes
from textgen.normal_forms import Form, normalize

_FORMS: tuple[Form, ...] = ("NFC", "NFD", "NFKC", "NFKD")

# Marks of every class, some that decompose, some of class 0, and half-width letters that become marks.
_MARKS = (
    "\u0301\u0300\u0315\u0316\u0327\u0344\u0f73\u0f71\u093c\u094d\u3099\uff9e\uff9f\u034f\u200d\u05b0\u0378"
)
_LETTERS = "aéかｶ\u1100\u1161\ufb2c\ufdfa"

FUNCTIONS: dict[str, Callable[[str], object]] = {
    "normalize": lambda text: [normalize(form, text) for form in ("NFC", "NFKC")],
    "graphemes": graphemes,
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_time_grows_with_the_length(function: Callable[[str], object]) -> None:
    slow = {
        name: f"{times:.1f}"
        for name, family in FAMILIES.items()
        if (times := growth(function, family, most=60_000)) > LARGEST_GROWTH
    }
    assert not slow


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(_LETTERS), st.text(_MARKS, max_size=90), st.integers(1, 3)), max_size=4
    ),
    st.sampled_from(_FORMS),
)
def test_long_runs_of_marks_are_normalized_as_ever(parts: list[tuple[str, str, int]], form: Form) -> None:
    text = "".join(letter + marks * times for letter, marks, times in parts)
    assert normalize(form, text) == unicodedata.normalize(form, text)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("🇩🇪a\u0301\u200d👩🏽\n\r\u0600क\u094d\u1100"), st.integers(1, 99)),
        max_size=8,
    )
)
def test_graphemes_are_those_of_the_pattern(runs: list[tuple[str, int]]) -> None:
    text = "".join(symbol * times for symbol, times in runs)
    found = regex.findall(r"\X", text)
    assert graphemes(text) == found
    assert list(grapheme_ends(text)) == list(accumulate(map(len, found)))


def test_every_family_has_the_length_that_is_asked_for() -> None:
    for name, family in FAMILIES.items():
        assert 500 <= len(family(1_000)) <= 4_000, name
