"""SentencePiece's tokens, as Llama 2 and TinyLlama have them: from a folder and from a GGUF file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tokenizers

from tests.support.textgen import base_sources
from tests.support.textgen import bases as tiny
from tests.textgen.pretrained.test_base_tokenizer import HARD
from textgen.errors import BundleError
from textgen.model import TextModel
from textgen.pretrained import sentencepiece
from textgen.pretrained.sources import adding
from textgen.pretrained.sources.tokenizer_json import pieces_of
from textgen.pretrained.spec import LlamaSpec
from textgen.pretrained.tokenizer import BaseTokenizer

SPECIAL = ["<unk>", "<s>", "</s>"]
ADDED = ("single_word", "lstrip", "rstrip", "normalized")
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
LETTERS = ["▁", *"thebinsTä", "▁t", "▁b", "he", "▁the", "ot", "▁bot", "The", "o"]
PARTS = ["▁▁", "in", "▁i", "▁in", "is", "▁is"]
VOCABULARY = [*SPECIAL, *BYTES, *LETTERS, *PARTS]
MERGES = sentencepiece.merges_of(
    {token: number for number, token in enumerate(VOCABULARY) if number >= len(SPECIAL) + len(BYTES)},
    [-float(number) for number in range(len(VOCABULARY))],
)
NORMALIZER = {
    "type": "Sequence",
    "normalizers": [
        {"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
    ],
}


def tokenizer() -> BaseTokenizer:
    return BaseTokenizer(VOCABULARY, MERGES, sentencepiece.SPLIT, range(3), 1)


def tokenizer_json() -> dict[str, Any]:
    """The tokenizer as the package ``tokenizers`` saves it."""
    return {
        "version": "1.0",
        "added_tokens": [
            {"id": n, "content": name, "special": True} | dict.fromkeys(ADDED, False)
            for n, name in enumerate(SPECIAL)
        ],
        "normalizer": NORMALIZER,
        "pre_tokenizer": None,
        "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}]},
        "decoder": None,
        "model": {
            "type": "BPE",
            "unk_token": "<unk>",
            "fuse_unk": True,
            "byte_fallback": True,
            "vocab": {token: number for number, token in enumerate(VOCABULARY)},
            "merges": [" ".join(merge) for merge in MERGES],
        },
    }


@pytest.mark.parametrize("text", HARD)
def test_every_text_comes_back_and_has_the_published_tokens(text: str) -> None:
    tokens = tokenizer().encode(text).tolist()
    assert tokenizer().decode(tokens) == text
    assert not tokenizer().unseen(text)
    published = tokenizer_json() | {"post_processor": None, "normalizer": NORMALIZER["normalizers"][1]}
    reference = tokenizers.Tokenizer.from_str(json.dumps(published))
    assert tokens == reference.encode(text).ids


def test_words_are_merged_and_unknown_characters_are_bytes() -> None:
    names = [tokenizer().name_of(token) for token in tokenizer().encode("The bot is €").tolist()]
    assert names[:4] == ["The", " bot", " is", " "]
    assert [VOCABULARY[token] for token in tokenizer().encode("€").tolist()] == ["<0xE2>", "<0x82>", "<0xAC>"]


def test_without_tokens_of_bytes_a_character_is_unseen() -> None:
    vocabulary = [*SPECIAL, *LETTERS, *PARTS]
    poor = BaseTokenizer(vocabulary, MERGES, sentencepiece.SPLIT, range(3))
    assert poor.unseen("the ä €") == ["€"]
    assert poor.writes("ä")
    assert not poor.writes("€")


def test_a_prompt_may_end_inside_a_word_or_in_a_space() -> None:
    tokens, rest = tokenizer().open_end("The bo")
    assert (tokenizer().decode(tokens.tolist()), rest) == ("The", b" bo")
    tokens, rest = tokenizer().open_end("The bot ")
    assert (tokenizer().decode(tokens.tolist()), rest) == ("The bot", b" ")


def test_json_and_back() -> None:
    data = json.loads(json.dumps(tokenizer().to_json()))
    assert BaseTokenizer.from_json(data).to_json() == data


def test_tokens_that_cross_a_space_are_refused() -> None:
    with pytest.raises(BundleError, match="goes on behind a space"):
        BaseTokenizer([*VOCABULARY, "t▁h"], MERGES, sentencepiece.SPLIT, range(3))


@pytest.mark.parametrize(
    "changed",
    [
        {"normalizer": {"type": "Lowercase"}},
        {"normalizer": NORMALIZER, "pre_tokenizer": {"type": "Whitespace"}},
        {"normalizer": None, "pre_tokenizer": None},
    ],
)
def test_other_ways_with_spaces_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(BundleError, match="each space becomes ▁"):
        pieces_of(tokenizer_json() | changed)


def test_the_newer_form_of_the_same_is_read() -> None:
    newer = {"normalizer": None, "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "split": False}}
    assert pieces_of(tokenizer_json() | newer).split == sentencepiece.SPLIT


@pytest.mark.usefixtures("bases")
def test_a_gguf_file_and_a_folder_give_the_same_base(tmp_path: Path) -> None:
    kinds = [3 if n < 3 else 6 if n < 3 + len(BYTES) else 1 for n in range(len(VOCABULARY))]
    changed = {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": VOCABULARY,
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.scores": [-float(number) for number in range(len(VOCABULARY))],
        "tokenizer.ggml.merges": None,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.add_bos_token": None,
    }
    sizes = tiny_spec()
    base_sources.write_gguf(tmp_path / "a.gguf", sizes, changed=changed)
    base_sources.write_folder(tmp_path / "b", sizes)
    (tmp_path / "b" / "tokenizer.json").write_text(json.dumps(tokenizer_json()))
    config = json.loads((tmp_path / "b" / "config.json").read_text()) | {"bos_token_id": 1}
    (tmp_path / "b" / "config.json").write_text(json.dumps(config))
    assert adding.add(str(tmp_path / "a.gguf")).sha256 == adding.add(str(tmp_path / "b")).sha256
    model = TextModel.of_base("b")
    text = model.generate("The bo", length=30, random_seed=2)
    assert text
    assert model.generate("The bo", length=30, random_seed=2) == text


def tiny_spec() -> LlamaSpec:
    return replace(tiny.spec(), vocabulary=len(VOCABULARY))
