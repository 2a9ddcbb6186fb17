"""Where a text ends: at its length, before a stop text, at a time limit, and never inside a character."""

from __future__ import annotations

from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.textgen.bundles import SpellingModel, random_bundle
from textgen.model import TextModel
from textgen.sampling import SamplingSettings
from textgen.sampling.sample import Sample
from textgen.sampling.writer import Writer
from textgen.tokenizers import CharacterTokenizer, SubwordTokenizer, WordTokenizer

FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
FLAG = "\N{REGIONAL INDICATOR SYMBOL LETTER N}\N{REGIONAL INDICATOR SYMBOL LETTER O}"
THUMB = "\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}"
ACCENTED = "e\u0301\u0323"
HANGUL = "\u1112\u1161\u11ab"
KSSA = "\u0915\u094d\u0937\u093f"  # one conjunct of Devanagari
CLUSTERS = [FAMILY, FLAG, THUMB, ACCENTED, HANGUL, KSSA]
PARTS = [*CLUSTERS, "a", "b", " ", "é", "\n", "\u200d", "\u0301", "\N{REGIONAL INDICATOR SYMBOL LETTER N}"]


def written(model: TextModel, **values: Any) -> Sample:
    streamed = "".join(model.stream("the ", temperature=0, **values))
    sample = model.sample("the ", SamplingSettings(temperature=0, **values))
    assert streamed == sample.text
    return sample


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_text_is_never_cut_inside_what_is_one_character_to_a_reader(cluster: str) -> None:
    model = SpellingModel(f"xy{cluster}{cluster}z" + "." * 30)
    for length in range(1, 2 * len(cluster) + 6):
        text = written(model, length=length).text
        whole = (max(0, length - 2)) // len(cluster)
        expected = "xy"[:length] + cluster * min(whole, 2)
        if whole >= 2:
            expected += ("z" + "." * 30)[: length - 2 - 2 * len(cluster)]
        assert text == expected


def test_a_character_longer_than_the_length_is_left_out() -> None:
    assert written(SpellingModel(FAMILY + "abc"), length=2).text == ""


def reference(text: str, length: int, stops: list[str]) -> tuple[str, bool]:
    """Return a text's beginning by the definition, one code point after the other."""
    boundaries = [0, *(match.end() for match in regex.finditer(r"\X", text))]
    limit = max(boundary for boundary in boundaries if boundary <= length)
    for end in range(1, limit + 1):
        for stop in sorted(stops, key=len, reverse=True):
            if text[:end].endswith(stop):
                start = end - len(stop)
                return text[: max(boundary for boundary in boundaries if boundary <= start)], True
    return text[:limit], False


@st.composite
def texts_and_stops(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Return a text and stops of which most stand in it, some of them across or inside characters."""
    text = "".join(draw(st.lists(st.sampled_from(PARTS), min_size=1, max_size=14)))
    stops = []
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text) - 1))
        stops.append(text[start : start + draw(st.integers(1, 5))] + draw(st.sampled_from(["", "", "a"])))
    return text, stops


@settings(max_examples=400)
@given(texts_and_stops(), st.integers(1, 30), st.lists(st.integers(1, 4), min_size=1, max_size=8))
def test_length_and_stops_are_those_of_the_definition(
    drawn: tuple[str, list[str]], length: int, sizes: list[int]
) -> None:
    text, stops = drawn
    # The tokenizer makes tokens of one to four characters; what follows the text ends its last cluster.
    text += "." * 35
    pieces, rest, number = [], text, 0
    while rest:
        size = sizes[number % len(sizes)]
        pieces.append(rest[:size])
        rest, number = rest[size:], number + 1
    tokenizer = CharacterTokenizer("".join(dict.fromkeys(text)), lowercase=False)
    decoder = tokenizer.decoder()
    decoder._text_of = pieces.__getitem__
    writer, shown = Writer(decoder, length, stops), []
    for token in range(len(pieces)):
        writer.feed(token)
        shown.append(writer.take())
        if writer.ended is not None:
            break
    expected, stopped = reference(text, length, stops)
    assert writer.text == expected
    assert writer.ended == ("stop" if stopped else "length")
    assert "".join(shown) == expected
    assert all(regex.fullmatch(r"\X*", piece) for piece in shown)


@pytest.mark.parametrize(
    ("stop", "text", "ended"),
    [
        (["\n"], "To be, or not", "stop"),
        ("not", "To be, or ", "stop"),
        (["be,", "e"], "To b", "stop"),
        (["be, or", "e,"], "To b", "stop"),
        (["e, or not", "or"], "To be, ", "stop"),
        (["never"], "To be, or not\nto be", "length"),
        (["To"], "", "stop"),
    ],
)
def test_the_text_ends_before_the_first_stop(stop: Any, text: str, ended: str) -> None:
    sample = written(SpellingModel("To be, or not\nto be"), length=19, stop=stop)
    assert (sample.text, sample.ended) == (text, ended)


def test_a_stop_that_the_seed_holds_does_not_count() -> None:
    model = SpellingModel("and the end")
    assert model.generate("the end", length=8, temperature=0, stop="end") == "and the "


def test_a_model_of_lower_case_stops_at_the_stop_as_it_would_write_it() -> None:
    model = SpellingModel("to be. end", CharacterTokenizer("to be.nd", lowercase=True))
    assert model.generate("to", length=10, temperature=0, stop="END") == "to be. "


def test_what_streams_is_certain() -> None:
    """Nothing is shown that a stop text or an accent could still take back."""
    model = SpellingModel("ab\n\nc" + ACCENTED + "xyz")
    pieces = list(model.stream("the ", temperature=0, length=8, stop="\n\n\n"))
    assert pieces == ["a", "b", "\n\nc", ACCENTED]


PROSE = "The café’s naïve 👩‍👩‍👧 family waved 🇳🇴 flags; übermäßig 한국어 text.\n" * 30


@pytest.fixture(scope="module")
def subword() -> SubwordTokenizer:
    return SubwordTokenizer.train(PROSE, vocabulary_size=290)


@pytest.mark.parametrize("length", [*range(1, 40), 100])
def test_tokens_that_are_parts_of_characters_or_several_give_whole_ones(
    subword: SubwordTokenizer, length: int
) -> None:
    # The first token spells the space at the end of the seed as well.
    sample = written(SpellingModel(f" {PROSE}", subword), length=length)
    expected, _ = reference(PROSE, length, [])
    assert sample.text == expected
    assert "\ufffd" not in sample.text


def test_a_stop_inside_a_token_cuts_it(subword: SubwordTokenizer) -> None:
    assert written(SpellingModel(f" {PROSE}", subword), length=99, stop="ï").text == "The café’s na"


def test_at_word_level_the_length_counts_words() -> None:
    words = WordTokenizer.train("the cat sees the moon.\n" * 20, lowercase=False)
    model = SpellingModel("cat sees the moon.\n", words)
    assert written(model, length=3).text == " cat sees the"
    assert written(model, length=4).text == " cat sees the moon"
    assert written(model, length=40, stop=["moon"]).text == " cat sees the "


def test_a_time_limit_ends_a_text_early_and_says_so() -> None:
    model = TextModel(random_bundle())
    full = model.sample("the ", SamplingSettings(length=2_000, random_seed=4))
    limited = SamplingSettings(length=1_000_000, random_seed=4, time_limit_s=0.05)
    sample = model.sample("the ", limited)
    assert sample.ended == "time limit"
    assert 0 < len(sample.text) < 100_000
    assert full.text.startswith(sample.text[:2_000])
    assert full.ended == "length"


def test_a_time_limit_counts_while_others_are_served_first() -> None:
    model = TextModel(random_bundle())
    engine = model.engine()
    for _ in range(64):
        engine.submit(model.request("a", SamplingSettings(length=1_000_000, random_seed=1))[0])
    late, _ = model.request("a", SamplingSettings(length=5, time_limit_s=0.02))
    engine.submit(late)
    finished = []
    while not finished:
        finished = engine.step()
    assert finished == [late]
    assert (late.ended, late.text) == ("time limit", "")
