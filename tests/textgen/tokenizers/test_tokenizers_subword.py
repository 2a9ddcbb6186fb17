"""Byte-pair encoding: no text is unknown, and serving gives the package's tokens without the package."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex
from tokenizers import Tokenizer as Package
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split

from tests.support.texts.hard_strings import HARD, HARD_SENTENCES
from tests.textgen.conftest import prose
from textgen.errors import SettingsError
from textgen.tokenizers import SubwordTokenizer, byte_pieces, from_json, subword

TEXT = prose(300) + "\n".join(HARD_SENTENCES)
TOKENIZER = SubwordTokenizer.train(TEXT, vocabulary_size=700)


@given(st.text())
def test_any_text_round_trips_whatever_the_training_text(text: str) -> None:
    tokens = TOKENIZER.encode(text)
    assert TOKENIZER.decode(tokens) == text
    assert 0 not in tokens


def test_frequent_words_are_one_token() -> None:
    assert [TOKENIZER.name_of(int(token)) for token in TOKENIZER.encode("The cat sees the moon.")] == [
        "The",
        " cat",
        " sees",
        " the",
        " moon",
        ".",
    ]
    assert len(TOKENIZER.encode(prose(300))) < len(prose(300)) / 3


def as_package(tokenizer: SubwordTokenizer) -> Package:
    """Return the package's own encoder with our merges."""
    letter_of = {byte: letter for letter, byte in byte_pieces.bytes_of_letters().items()}

    def spelt(token: int) -> str:
        return "".join(letter_of[byte] for byte in tokenizer._bytes[token])

    model = BPE(
        {spelt(token): token for token in range(1, tokenizer.size)},
        [(spelt(left), spelt(right)) for left, right in tokenizer.merges],
    )
    package = Package(model)
    package.pre_tokenizer = Sequence(
        [Split(Regex(subword._PATTERN), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    package.decoder = ByteLevelDecoder()
    return package


@pytest.mark.parametrize("text", [*HARD.values(), TEXT], ids=[*HARD.keys(), "prose"])
def test_the_tokens_equal_those_of_the_package_tokenizers(text: str) -> None:
    assert TOKENIZER.encode(text).tolist() == as_package(TOKENIZER).encode(text).ids


def test_a_lone_surrogate_is_refused_with_its_offset() -> None:
    with pytest.raises(SettingsError, match=r"lone surrogate, U\+D83D, at offset 3"):
        TOKENIZER.encode("abc\ud83d")
    with pytest.raises(SettingsError, match="lone surrogate"):
        SubwordTokenizer.train("abc\ud83d" * 100)


def test_incomplete_bytes_are_shown_as_replacement_characters() -> None:
    tokens = [0xE2 + 1, 0x82 + 1]
    assert TOKENIZER.decode([*tokens, 0xAC + 1]) == "€"
    assert TOKENIZER.decode(tokens) == "\N{REPLACEMENT CHARACTER}"
    assert TOKENIZER.name_of(tokens[0]) == "<E2>"
    decoder = TOKENIZER.decoder()
    assert [decoder.feed(token) for token in tokens] == ["", ""]
    assert decoder.finish() == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(("wanted", "size"), [(257, 257), (300, 300), (None, 512)])
def test_the_vocabulary_has_the_wanted_size(wanted: int | None, size: int) -> None:
    assert SubwordTokenizer.train(TEXT, vocabulary_size=wanted).size == size


def test_a_vocabulary_without_room_for_the_bytes_is_refused() -> None:
    with pytest.raises(SettingsError, match="vocab_size is 256; at subword level it must be at least 257"):
        SubwordTokenizer.train(TEXT, vocabulary_size=256)


def test_a_long_text_gets_a_larger_vocabulary_by_default() -> None:
    draw = random.Random(5)
    distinct = ["".join(draw.choices("abcdefghij", k=7)) for _ in range(3_000)]
    words = " ".join(draw.choices(distinct, k=60_000))
    tokenizer = SubwordTokenizer.train(words)
    assert tokenizer.size == len(words) // 700
    again = from_json(json.loads(json.dumps(tokenizer.to_json())))
    assert again.encode(words[:1_000]).tolist() == tokenizer.encode(words[:1_000]).tolist()
