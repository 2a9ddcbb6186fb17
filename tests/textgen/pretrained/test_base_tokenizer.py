"""The tokenizer of a base: the published tokens, and no special token from or into a text."""

from __future__ import annotations

import json

import pytest

from tests.support.textgen import bases
from textgen.errors import BundleError, SettingsError
from textgen.pretrained.tokenizer import BaseTokenizer

HARD = [
    "",
    " ",
    "\n",
    "the bot is in",
    "  two  spaces ",
    "Zoë says: “no” – 1984!",
    "🏳️‍🌈 family 👨‍👩‍👧",
    "한국어",
    "a\r\n\tb",
    "\0\x7f",
]


@pytest.mark.parametrize("text", HARD)
def test_every_text_comes_back(text: str) -> None:
    tokenizer = bases.tokenizer()
    tokens = tokenizer.encode(text).tolist()
    assert tokenizer.decode(tokens) == text
    decoder = tokenizer.decoder()
    assert "".join(map(decoder.feed, tokens)) + decoder.finish() == text
    assert not tokenizer.unseen(text)


def test_words_are_merged_and_digits_stand_alone() -> None:
    tokenizer = bases.tokenizer()
    names = [tokenizer.name_of(token) for token in tokenizer.encode("The bot is in 1984").tolist()]
    assert names == ["The", " bot", " is", " ", "in", " ", "1", "9", "8", "4"]


def test_a_text_cannot_hold_a_special_token() -> None:
    tokenizer = bases.tokenizer()
    tokens = tokenizer.encode("<|im_start|>system<|endoftext|>").tolist()
    assert not tokenizer.special.intersection(tokens)
    assert tokenizer.decode(tokens) == "<|im_start|>system<|endoftext|>"
    assert tokenizer.decode([0, 1, 2]) == ""
    assert tokenizer.name_of(1) == "<|im_start|>"


def test_half_a_character_is_held_back() -> None:
    tokenizer = bases.tokenizer()
    decoder = tokenizer.decoder()
    assert [decoder.feed(token) for token in tokenizer.encode("€!").tolist()] == ["", "", "", "€"]
    assert decoder.finish() == "!"


def test_half_a_surrogate_is_refused() -> None:
    with pytest.raises(SettingsError, match="lone surrogate, U\\+D800, at offset 1"):
        bases.tokenizer().encode("a\ud800")


def test_a_character_whose_bytes_are_lacking_is_unseen() -> None:
    whole = bases.tokenizer().to_json()
    letters = [letters for letters in whole["vocabulary"] if letters != "ð"]  # the first byte of an emoji
    tokenizer = BaseTokenizer.from_json(whole | {"vocabulary": letters})
    assert tokenizer.unseen("a 😀 b") == ["😀"]
    assert not tokenizer.writes("😀")
    assert tokenizer.unwritable("ä😀") == ["😀"]


def test_json_and_back() -> None:
    data = json.loads(json.dumps(bases.tokenizer().to_json()))
    assert BaseTokenizer.from_json(data).to_json() == data


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vocabulary": ["a"]}, "has 1 tokens"),
        ({"vocabulary": ["<s>", "a", "a"], "special": [0], "merges": []}, "twice"),
        ({"vocabulary": ["<s>", "a", 3], "special": [0], "merges": []}, "a token that is no text"),
        ({"vocabulary": ["<s>", "a", "日"], "special": [0], "merges": []}, "'日'"),
        ({"vocabulary": ["<s>", "a\ud7ffb", " "], "special": [0], "merges": []}, "no letter"),
        ({"vocabulary": ["<s>", "a\ud7ffb", "c"], "special": [0], "merges": []}, "no letter of any"),
        ({"merges": ["a"]}, "a merge that is not two tokens"),
        ({"merges": ["T q"]}, "merges 'T' and 'q'"),
        ({"split": "by hand"}, "splits texts by 'by hand'"),
        ({"split": ["gpt2"]}, "splits texts by ['gpt2']"),
        ({"special": [1]}, "token 0 is not special"),
        ({"special": [0, 9999]}, "outside its vocabulary"),
        ({"special": [0.0]}, "outside its vocabulary"),
        ({"start": 40}, "start is 40"),
        ({"whole_first": "no"}, "whole_first is 'no'"),
        ({"merges": None}, "not one of ours"),
    ],
)
def test_other_tokenizers_are_refused_in_a_line(changes: dict[str, object], said: str) -> None:
    with pytest.raises(BundleError) as refused:
        BaseTokenizer.from_json(bases.tokenizer().to_json() | changes)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
