"""Text to tokens and back, at every level."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from tests.support.texts.hard_strings import HARD, HARD_SENTENCES
from textgen import tokenizers
from textgen.errors import BundleError, SettingsError
from textgen.files import atomic
from textgen.levels import LEVELS
from textgen.tokenizers import UNKNOWN, CharacterTokenizer, Tokenizer
from textgen.tokenizers.stream import whole_prefix

TEXT = "\n".join((*HARD.values(), *HARD_SENTENCES))


def through_json(tokenizer: Tokenizer, folder: Path) -> Tokenizer:
    atomic.write_json(folder / "tokenizer.json", tokenizer.to_json())
    return tokenizers.from_json(json.loads((folder / "tokenizer.json").read_bytes()))


@pytest.fixture(scope="module", params=LEVELS)
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    """A tokenizer of each level that has seen the hard strings (a pristine one keeps upper case)."""
    text = TEXT
    if request.param == "word":
        # Words as long as these never enter a vocabulary.
        text = "\n".join(line for line in TEXT.split("\n") if len(line) < 1_000)
        return tokenizers.WordTokenizer.train(text, lowercase=False)
    return tokenizers.train(request.param, text, pristine_input=True)


@pytest.mark.parametrize("text", HARD.values(), ids=HARD.keys())
def test_hard_strings_come_back(tokenizer: Tokenizer, tmp_path: Path, text: str) -> None:
    tokens = tokenizer.encode(text)
    if tokenizer.level == "word" and len(text) > 1_000:
        assert tokenizer.decode(tokens) == "\N{REPLACEMENT CHARACTER}"
        return
    assert tokenizer.decode(tokens) == text
    assert tokenizer.unseen(text) == []
    assert UNKNOWN not in tokens
    again = through_json(tokenizer, tmp_path)
    assert again.encode(text).tolist() == tokens.tolist()
    assert again.decode(tokens) == text
    assert again.size == tokenizer.size


@pytest.mark.parametrize("text", HARD.values(), ids=HARD.keys())
def test_streamed_text_is_the_same_and_never_shows_half_a_character(tokenizer: Tokenizer, text: str) -> None:
    decoder = tokenizer.decoder()
    tokens = tokenizer.encode(text[:2_000])
    pieces = [decoder.feed(int(token)) for token in tokens]
    assert decoder.length == len(tokens if tokenizer.unit == "words" else tokenizer.decode(tokens))
    pieces.append(decoder.finish())
    whole = tokenizer.decode(tokens)
    assert "".join(pieces) == whole
    boundaries = {0, *(match.end() for match in regex.finditer(r"\X", whole))}
    at = 0
    for piece in pieces:
        at += len(piece)
        assert at in boundaries


@pytest.mark.parametrize("text", HARD.values(), ids=HARD.keys())
def test_a_text_encoded_line_by_line_has_the_tokens_of_the_whole(tokenizer: Tokenizer, text: str) -> None:
    lines = [tokenizer.encode(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    rest = tokenizer.encode(text[text.rfind("\n") + 1 :])
    assert np.concatenate([*lines, rest]).tolist() == tokenizer.encode(text).tolist()


@pytest.mark.parametrize("level", LEVELS)
def test_a_text_in_pieces_gives_the_vocabulary_of_the_whole(level: str) -> None:
    pieces = TEXT.splitlines(keepends=True)
    whole = tokenizers.train(level, TEXT).to_json()
    assert tokenizers.train(level, iter(pieces)).to_json() == whole
    assert tokenizers.train(level, TEXT).to_json() == whole


def test_every_token_has_a_name_of_its_own(tokenizer: Tokenizer) -> None:
    names = [tokenizer.name_of(token) for token in range(tokenizer.size)]
    assert len(set(names)) >= tokenizer.size - 1  # U+FFFD itself may be a token beside the unknown


def test_decoding_continues_after_earlier_tokens(tokenizer: Tokenizer) -> None:
    text = "She doesn't know, and I don't either."
    tokens = tokenizer.encode(text)
    for cut in range(1, len(tokens)):
        before, behind = tokens[:cut], tokens[cut:]
        if tokenizer.level == "word":
            assert tokenizer.decode(before) + tokenizer.decode(behind, after=before) == text
        else:
            assert tokenizer.decode(before) + tokenizer.decode(behind) == text


@given(st.text(min_size=1))
def test_characters_round_trip_on_any_text(text: str) -> None:
    tokenizer = CharacterTokenizer.train(text, lowercase=False)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.unseen(text) == []
    again = tokenizers.from_json(tokenizer.to_json())
    assert again.encode(text).tolist() == tokenizer.encode(text).tolist()


def test_an_unseen_character_is_unknown_and_named() -> None:
    tokenizer = CharacterTokenizer.train("hello", lowercase=False)
    tokens = tokenizer.encode("hé😀l")
    assert tokens.tolist()[1:3] == [UNKNOWN, UNKNOWN]
    assert (tokens != UNKNOWN).mean() == 0.5
    assert tokenizer.unseen("hé😀él") == ["é", "😀"]
    assert tokenizer.decode([UNKNOWN]) == "\N{REPLACEMENT CHARACTER}"


def test_the_vocabulary_is_capped_at_the_most_frequent() -> None:
    tokenizer = CharacterTokenizer.train("aaabbc", lowercase=False, vocabulary_size=3)
    assert tokenizer.symbols == "ab"
    assert tokenizer.size == 3
    assert tokenizer.unseen("abc") == ["c"]


def test_lower_case_models_read_upper_case() -> None:
    tokenizer = CharacterTokenizer.train("The End", lowercase=True)
    assert tokenizer.decode(tokenizer.encode("THE END")) == "the end"
    assert tokenizer.unseen("THE END") == []


def test_a_text_is_cut_between_visible_characters() -> None:
    assert whole_prefix("ab👨‍👩‍👧c", 4) == "ab"
    assert whole_prefix("ab👨‍👩‍👧c", 7) == "ab👨‍👩‍👧"
    assert whole_prefix("abc", 10) == "abc"


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(SettingsError, match="level is 'phoneme'; it can be char, word, subword"):
        tokenizers.train("phoneme", "text")


WORD = {
    "level": "word",
    "words": ["", " ", "\n", "a", ","],
    "joins_left": [5],
    "joins_right": [],
    "lowercase": True,
    "splitting": "treebank",
    "pristine_output": False,
}


def test_valid_tokenizer_data_is_read() -> None:
    tokenizer = tokenizers.from_json(WORD)
    assert tokenizer.decode(tokenizer.encode("A, a")) == "a, a"
    assert tokenizers.from_json({"level": "subword", "merges": ["98 99"]}).size == 258


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"level": "telepathy"},
        {"level": ["char"]},
        {"level": "char"},
        {"level": "char", "symbols": "", "lowercase": True},
        {"level": "char", "symbols": "aa", "lowercase": True},
        {"level": "char", "symbols": ["a"], "lowercase": True},
        {"level": "char", "symbols": "ab", "lowercase": "yes"},
        {"level": "word"},
        {**WORD, "words": "abc"},
        {**WORD, "words": []},
        {**WORD, "words": ["a", "a"]},
        {**WORD, "words": ["a", 1]},
        {**WORD, "words": ["a", ["b"]]},
        {**WORD, "words": ["x" * 101]},
        {**WORD, "words": [str(number) for number in range(200_001)]},
        {**WORD, "joins_left": [6]},
        {**WORD, "joins_left": [0]},
        {**WORD, "joins_right": [True]},
        {**WORD, "joins_right": ["1"]},
        {**WORD, "joins_right": None},
        {**WORD, "lowercase": 1},
        {**WORD, "pristine_output": None},
        {**WORD, "splitting": "regex"},
        {**WORD, "splitting": []},
        {"level": "byte"},
        {"level": "byte", "symbols": 5},
        {"level": "subword"},
        {"level": "subword", "merges": {}},
        {"level": "subword", "merges": [[98, 99]]},
        {"level": "subword", "merges": ["98"]},
        {"level": "subword", "merges": ["98 0"]},
        {"level": "subword", "merges": ["98 257"]},
        {"level": "subword", "merges": ["98 999999999999999999999"]},
        {"level": "subword", "merges": ["98 99", "98 99"]},
        {"level": "subword", "merges": ["1 1", *(f"{token} {token}" for token in range(257, 330))]},
        {"level": "subword", "merges": ["1 1"] * 70_000},
    ],
)
def test_invalid_tokenizer_data_is_refused(data: Any) -> None:
    with pytest.raises(BundleError, match=r"tokenizer\.json") as caught:
        tokenizers.from_json(data)
    assert len(str(caught.value)) < 200
