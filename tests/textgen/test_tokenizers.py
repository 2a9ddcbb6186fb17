"""Text to tokens and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen import tokenizers
from textgen.errors import BundleError
from textgen.tokenizers import UNKNOWN, CharacterTokenizer


@given(st.text(min_size=1))
def test_characters_round_trip_on_any_text(text: str) -> None:
    tokenizer = CharacterTokenizer.train(text, lowercase=False)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.unseen(text) == []
    again = tokenizers.from_json(tokenizer.to_json())
    assert again.encode(text).tolist() == tokenizer.encode(text).tolist()


def test_an_unseen_character_is_unknown_and_named() -> None:
    tokenizer = CharacterTokenizer.train("hello", lowercase=False)
    assert tokenizer.encode("hé😀l").tolist()[1:3] == [UNKNOWN, UNKNOWN]
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


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"level": "telepathy"},
        {"level": "char"},
        {"level": "char", "symbols": "", "lowercase": True},
        {"level": "char", "symbols": "aa", "lowercase": True},
        {"level": "char", "symbols": ["a"], "lowercase": True},
        {"level": "char", "symbols": "ab", "lowercase": "yes"},
    ],
)
def test_foreign_data_is_refused(data: Any) -> None:
    with pytest.raises(BundleError, match=r"tokenizer\.json"):
        tokenizers.from_json(data)
