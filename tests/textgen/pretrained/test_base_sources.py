"""Every source gives the same base; others are refused in one line, and nothing is left of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.textgen import base_sources, bases
from textgen.errors import BundleError
from textgen.pretrained import store
from textgen.pretrained.sources import adding
from textgen.pretrained.sources.gguf_blocks import BLOCKS

# How far a weight may be from the published one, as a share of the largest of its row: half a step of our
# 8 bits, and what the published type rounds itself.
TOLERANCE = {"F32": 0.004, "F16": 0.0045, "BF16": 0.013, "Q8_0": 0.008, "Q4_0": 0.08, "Q4_1": 0.08}


def check(made: bases.Weights, name: str, kind: str) -> None:
    base = store.find(name)
    for weight, array in made.items():
        found = base.float_weights(weight)
        if array.ndim == 1 and kind not in ("F16", "BF16"):
            assert np.array_equal(found, array)
        else:
            allowed = TOLERANCE[kind] * np.abs(array).max(axis=-1, keepdims=True) + 1e-6
            assert (np.abs(found - array) <= allowed).all(), weight


@pytest.mark.parametrize(("kind", "files", "tied"), [("F32", 1, True), ("F16", 2, False), ("BF16", 3, True)])
def test_a_folder_in_hugging_faces_layout(tmp_path: Path, kind: str, files: int, tied: bool) -> None:
    sizes = bases.spec(tied=tied)
    made = base_sources.write_folder(tmp_path / "Tiny-30K", sizes, kind=kind, files=files)
    entry = adding.add(str(tmp_path / "Tiny-30K"))
    assert entry.name == "tiny-30k"
    assert entry.about is not None
    assert (entry.about.licence, entry.about.languages) == ("apache-2.0", ("en", "de"))
    assert entry.spec == sizes
    check(made, "tiny-30k", kind)


@pytest.mark.parametrize("kind", list(base_sources.PACKERS))
def test_a_gguf_file(tmp_path: Path, kind: str) -> None:
    made = base_sources.write_gguf(tmp_path / "any.gguf", kind=kind)
    entry = adding.add(str(tmp_path / "any.gguf"), "mine")
    assert entry.about is not None
    assert (entry.about.title, entry.about.licence, entry.about.languages) == (
        "Tiny 30K",
        "apache-2.0",
        ("en",),
    )
    assert entry.spec == bases.spec()
    check(made, "mine", kind)


def test_an_installed_package_that_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = base_sources.install_package(tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert adding.add("package:llm-tiny").name == "tiny"
    check(made, "tiny", "F32")


def test_the_same_model_has_the_same_hash_from_each_source(tmp_path: Path) -> None:
    base_sources.write_gguf(tmp_path / "a.gguf")
    base_sources.write_folder(tmp_path / "b")
    assert adding.add(str(tmp_path / "a.gguf")).sha256 == adding.add(str(tmp_path / "b")).sha256
    bases.add("c")
    assert store.find("c").sha256 == store.find("b").sha256


def test_a_token_of_text_gives_the_number_0_to_a_special_one(tmp_path: Path) -> None:
    made = base_sources.write_folder(tmp_path / "moved")
    data = base_sources.tokenizer_json()
    moved = {
        letters: (number - 3) % bases.tokenizer().size for letters, number in data["model"]["vocab"].items()
    }
    data["model"]["vocab"] = moved
    for token in data["added_tokens"]:
        token["id"] = moved[token["content"]]
    (tmp_path / "moved" / "tokenizer.json").write_text(json.dumps(data))
    adding.add(str(tmp_path / "moved"))
    base = store.find("moved")
    first = min(token["id"] for token in data["added_tokens"])
    assert base.tokenizer.name_of(0) == "<|endoftext|>"
    assert base.tokenizer.start == 0
    text = "the bot is"
    assert base.tokenizer.decode(base.tokenizer.encode(text).tolist()) == text
    rows = base.float_weights("embedding")
    assert np.allclose(rows[0], made["embedding"][first], atol=0.01)
    assert np.allclose(rows[first], made["embedding"][0], atol=0.01)


def test_rotary_factors_of_llama_3(tmp_path: Path) -> None:
    base_sources.write_folder(tmp_path / "long")
    file = tmp_path / "long" / "config.json"
    scaling = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    scaling["original_max_position_embeddings"] = 64
    file.write_text(json.dumps(json.loads(file.read_text()) | {"rope_scaling": scaling}))
    adding.add(str(tmp_path / "long"))
    factors = store.find("long").spec.rope_factors
    # 64 positions are 10.2 turns of the fastest pair (kept), and about one of the second.
    assert factors[0] == 1.0
    assert factors[1] == pytest.approx(7.83, abs=0.3)
    assert factors[2:] == (8.0, 8.0)


def _scalar_q4_k(block: bytes) -> list[float]:
    """One block as the loops of llama.cpp read it."""
    d, least = np.frombuffer(block[:4], "<f2").astype(np.float32)
    q, numbers = block[16:], []
    for j in range(8):
        s = block[4:16]
        scale = s[j] & 63 if j < 4 else (s[j + 4] & 15) | (s[j - 4] >> 6 << 4)
        low = s[j + 4] & 63 if j < 4 else (s[j + 4] >> 4) | (s[j] >> 6 << 4)
        for k in range(32):
            byte = q[32 * (j // 2) + k]
            numbers.append(
                d * np.float32(scale) * (byte >> 4 if j % 2 else byte & 15) - least * np.float32(low)
            )
    return numbers


def _scalar_q6_k(block: bytes) -> list[float]:
    """One block as the loops of llama.cpp read it."""
    numbers = [0.0] * 256
    scales = np.frombuffer(block[192:208], np.int8).astype(np.float32)
    d = np.frombuffer(block[208:], "<f2").astype(np.float32)[0]
    for half in range(2):
        low, high = block[64 * half : 64 * half + 64], block[128 + 32 * half : 160 + 32 * half]
        for k in range(32):
            for n, nibble in enumerate((low[k] & 15, low[k + 32] & 15, low[k] >> 4, low[k + 32] >> 4)):
                value = (nibble | (high[k] >> 2 * n & 3) << 4) - 32
                numbers[128 * half + 32 * n + k] = d * scales[8 * half + 2 * n + k // 16] * value
    return numbers


@pytest.mark.parametrize(("number", "scalar"), [(12, _scalar_q4_k), (14, _scalar_q6_k)])
def test_blocks_of_256_numbers(number: int, scalar: Any) -> None:
    block = BLOCKS[number]
    packed = np.random.default_rng(5).integers(0, 256, (3, block.nbytes), np.uint8)
    halves = (208,) if number == 14 else (0, 2)
    for start in halves:
        packed[:, start : start + 2] = np.array([[0.25], [-1.5], [0.0]], "<f2").view(np.uint8)
    expected = [scalar(bytes(row)) for row in packed]
    assert np.allclose(block.unpack(packed), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"general.architecture": "gpt2"}, "of the architecture 'gpt2'; Llama's family"),
        ({"general.architecture": None}, "of the architecture None"),
        ({"tokenizer.ggml.model": "bert"}, "a tokenizer of the kind 'bert'"),
        ({"tokenizer.ggml.model": "llama"}, "not a score for each"),
        ({"tokenizer.ggml.model": "llama", "tokenizer.ggml.scores": [1.0]}, "not a score for each"),
        ({"tokenizer.ggml.pre": "tekken"}, "'tekken'"),
        ({"tokenizer.ggml.token_type": [1]}, "not a type for each"),
        ({"tokenizer.ggml.tokens": ["a"], "tokenizer.ggml.token_type": [1]}, "no special token"),
        ({"llama.block_count": 3}, "'blk.2.attn_k.weight' has the shape None"),
        ({"llama.block_count": "two"}, "layers is 'two'"),
        ({"llama.attention.head_count": 8}, "turns 8 numbers of a head"),
        ({"llama.attention.head_count_kv": 3}, "multiple of key_value_heads"),
        ({"llama.feed_forward_length": 32}, "'blk.0.ffn_down.weight' has the shape"),
        ({"general.alignment": 0}, "an alignment of 0"),
    ],
)
def test_other_gguf_files_are_refused_in_a_line(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    base_sources.write_gguf(tmp_path / "other.gguf", changed=changed)
    with pytest.raises(BundleError) as refused:
        adding.add(str(tmp_path / "other.gguf"))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert store.entries() == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model_type": "gpt2"}, "of the architecture 'gpt2'"),
        ({"hidden_act": "gelu"}, "hidden_act 'gelu'"),
        ({"attention_bias": True}, "attention_bias True"),
        ({"head_dim": 16}, "head_dim 16"),
        (
            {"num_hidden_layers": 1},
            "'model.layers.1.input_layernorm.weight', which config.json does not explain",
        ),
        ({"intermediate_size": 48}, "config.json asks for (48, 32)"),
        ({"vocab_size": 100}, "token 271, and the network has 100"),
        ({"rope_scaling": {"rope_type": "yarn"}}, "scales its positions"),
        ({"rope_theta": "big"}, "rope_base is 'big'"),
        ({"hidden_size": None}, "4 heads in a hidden_size of None"),
    ],
)
def test_other_configurations_are_refused_in_a_line(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    base_sources.write_folder(tmp_path / "other")
    file = tmp_path / "other" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))
    with pytest.raises(BundleError) as refused:
        adding.add(str(tmp_path / "other"))
    assert said in str(refused.value)
    assert store.entries() == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model": {"type": "Unigram"}}, "of the kind 'Unigram'; BPE is read"),
        ({"model": {"type": "BPE", "byte_fallback": True}}, "with byte_fallback each space becomes ▁"),
        ({"normalizer": {"type": "Lowercase"}}, "changes texts by 'Lowercase'"),
        ({"pre_tokenizer": {"type": "Whitespace"}}, "splits texts by"),
        ({"pre_tokenizer": None}, "splits texts by None"),
        ({"added_tokens": [3]}, "added tokens that are none"),
        ({"added_tokens": []}, "no special token"),
    ],
)
def test_other_tokenizers_are_refused_in_a_line(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    base_sources.write_folder(tmp_path / "other")
    (tmp_path / "other" / "tokenizer.json").write_text(json.dumps(base_sources.tokenizer_json() | changed))
    with pytest.raises(BundleError) as refused:
        adding.add(str(tmp_path / "other"))
    assert said in str(refused.value)


def test_weights_that_are_no_numbers_leave_nothing(tmp_path: Path) -> None:
    base_sources.write_gguf(tmp_path / "a.gguf")
    data = bytearray((tmp_path / "a.gguf").read_bytes())
    data[-4:] = b"\xff\xff\xff\xff"
    (tmp_path / "a.gguf").write_bytes(data)
    with pytest.raises(BundleError, match="above 1,000, or none"):
        adding.add(str(tmp_path / "a.gguf"))
    assert list(store.folder().iterdir()) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nowhere", "is not there; a source is a folder"),
        ("package:no-such-package", "is not installed"),
        ("package:click", "carries no base"),
        ("package:", "is not installed"),
        ("hf:one", "write hf:owner/name"),
    ],
)
def test_sources_that_are_none(source: str, said: str) -> None:
    with pytest.raises(BundleError, match=said):
        adding.add(source)


def test_no_network_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(BundleError, match=r"hf:owner/name cannot be downloaded: .*; without") as refused:
        adding.add("hf:owner/name@main")
    assert "\n" not in str(refused.value)


def test_a_disk_that_is_too_small_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base_sources.write_gguf(tmp_path / "a.gguf")
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(BundleError, match=r"and .* has 1,000 left; nothing was changed"):
        adding.add(str(tmp_path / "a.gguf"))
    assert not store.folder().exists()
