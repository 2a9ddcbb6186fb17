"""What reads a person's text takes time that grows with its length, not with the square of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import accumulate

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.growth import slow_families
from tests.support.texts.hostile import FAMILIES
from tests.support.texts.whole import decode, measure, split_at_end
from textgen.corpus import report
from textgen.corpus.reading.csv_rows import CsvTable
from textgen.corpus.reading.cut_places import last_safe_cut
from textgen.corpus.reading.encoding import suggest
from textgen.corpus.reading.json_rows import JsonTable
from textgen.corpus.reading.text import clean_pieces
from textgen.corpus.seeds import LineStarts
from textgen.corpus.splitting import divide_text
from textgen.corpus.unwrapping import unwrap
from textgen.tokenizers import CharacterTokenizer, SubwordTokenizer, WordTokenizer
from textgen.tokenizers.stream import StreamDecoder, whole_prefix
from textgen.unicode.graphemes import grapheme_ends, graphemes
from textgen.unicode.normal_forms import Form, normalize

_FORMS: tuple[Form, ...] = ("NFC", "NFD", "NFKC", "NFKD")

# Marks of every class, some that decompose, some of class 0, and half-width letters that become marks.
_MARKS = (
    "\u0301\u0300\u0315\u0316\u0327\u0344\u0f73\u0f71\u093c\u094d\u3099\uff9e\uff9f\u034f\u200d\u05b0\u0378"
)
_LETTERS = "aéかｶ\u1100\u1161\ufb2c\ufdfa"

_BLOCK = 2_000
_WORDS = WordTokenizer(["a"], lowercase=True)
_SUBWORDS = SubwordTokenizer.train("To be, or not to be, that is the question.\n" * 300)


def _blocks(text: str) -> list[str]:
    return [text[at : at + _BLOCK] for at in range(0, len(text), _BLOCK)]


def _measure_in_pieces(text: str) -> None:
    measurer, starts = report.Measurer(), LineStarts()
    for piece in clean_pieces(_blocks(text), name="x"):
        measurer.add(piece)
        starts.add(piece)
    measurer.stats()
    starts.starts()


def _stream(text: str) -> None:
    decoder = StreamDecoder(text.__getitem__)
    for place in range(len(text)):
        decoder.feed(place)
    decoder.finish()


FUNCTIONS: dict[str, Callable[[str], object]] = {
    "normalize": lambda text: [normalize(form, text) for form in ("NFC", "NFKC")],
    "graphemes": graphemes,
    "decode": lambda text: decode(text.encode(), "x"),
    "suggest": lambda text: suggest(text.encode("utf-16-le")),
    "measure": measure,
    "measure in pieces": _measure_in_pieces,
    "cut": lambda text: (last_safe_cut(text), split_at_end(text, 0.05)),
    "divide": lambda text: divide_text(text, 0.1),
    "unwrap": unwrap,
    "CSV": lambda text: list(CsvTable("x.csv", "a").read([f"a,b\n{text}"])),
    "JSON lines": lambda text: list(JsonTable("x.jsonl", "a").read([text])),
    "train words": lambda text: WordTokenizer.train(text, lowercase=True),
    "words": lambda text: (_WORDS.encode(text), _WORDS.unseen(text)),
    "characters": lambda text: CharacterTokenizer("ab", lowercase=True).extended(text).encode(text),
    "subwords": _SUBWORDS.encode,
    "stream": _stream,
    "whole prefix": lambda text: whole_prefix(text, len(text)),
}


@pytest.mark.slow
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_time_grows_with_the_length(function: Callable[[str], object]) -> None:
    # For the end of a piece some 4,000 characters are searched: shorter texts cost less than their share.
    least = 8_000 if function is _measure_in_pieces else 1_000
    assert not slow_families(function, most=30_000, least=least)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(_LETTERS), st.text(_MARKS, max_size=90), st.integers(1, 3)), max_size=4
    ),
    st.sampled_from(_FORMS),
)
def test_long_runs_of_marks_are_normalized_correctly(parts: list[tuple[str, str, int]], form: Form) -> None:
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


def test_every_kind_of_hostile_text_has_the_requested_length() -> None:
    for name, family in FAMILIES.items():
        assert 500 <= len(family(1_000)) <= 4_000, name
