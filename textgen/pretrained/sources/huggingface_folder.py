"""A folder in Hugging Face's layout: config.json, tokenizer.json, and safetensors in one file or several."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.argument_checks import shown
from textgen.errors import BundleError
from textgen.pretrained.bounded import parse_json, read_bounded
from textgen.pretrained.safetensors_file import SafetensorsFile
from textgen.pretrained.sources.found import OUR_FAMILY, Found, name_from, numbered, with_rows_exchanged
from textgen.pretrained.sources.tokenizer_json import pieces_of
from textgen.pretrained.spec import LlamaSpec

CONFIG, TOKENIZER, README = "config.json", "tokenizer.json", "README.md"
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"

_LARGEST_CONFIG = 1 << 20
_LARGEST_INDEX = 16 << 20
_LARGEST_TOKENIZER = 64 << 20
_MOST_FILES = 200
_WIDEST = 65_536
_FILE = re.compile(r"[A-Za-z0-9][\w.-]{0,120}\.safetensors")
_PARTS = {
    "attention_norm": "input_layernorm",
    "query": "self_attn.q_proj",
    "key": "self_attn.k_proj",
    "value": "self_attn.v_proj",
    "attention_output": "self_attn.o_proj",
    "mlp_norm": "post_attention_layernorm",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
}
_WHOLE = {"embedding": "model.embed_tokens", "norm": "model.norm", "output": "lm_head"}


def find(folder: Path) -> Found:
    """Return the base in a folder.

    Raises:
        BundleError: a file is absent, damaged, or describes a network of another family.
    """
    config = parse_json(read_bounded(folder / CONFIG, _LARGEST_CONFIG), folder / CONFIG)
    spec = _spec(config)
    pieces = pieces_of(parse_json(read_bounded(folder / TOKENIZER, _LARGEST_TOKENIZER), folder / TOKENIZER))
    tokenizer, other = numbered(pieces, spec.vocabulary)
    weights = _Weights(folder)
    weights.check(spec)
    licence, languages = _readme(folder / README)
    title = folder.resolve().name
    weight = with_rows_exchanged(weights.weight, other)
    return Found(name_from(title), spec, tokenizer, weight, licence, languages, title)


def _spec(config: Any) -> LlamaSpec:
    if not isinstance(config, dict) or config.get("model_type") != "llama":
        kind = config.get("model_type") if isinstance(config, dict) else config
        raise BundleError(f"config.json is of the architecture {shown(kind)}; {OUR_FAMILY}")
    for name, plain in (("hidden_act", "silu"), ("attention_bias", False), ("mlp_bias", False)):
        if config.get(name, plain) != plain:
            raise BundleError(f"config.json has {name} {shown(config[name])}; {OUR_FAMILY}, with {plain}")
    width, heads = config.get("hidden_size"), config.get("num_attention_heads")
    head = config.get("head_dim")
    if head is not None and (type(heads) is not int or width != head * heads):
        raise BundleError(f"config.json has head_dim {shown(head)}; it must be hidden_size / heads")
    if type(width) is not int or type(heads) is not int or not 0 < heads <= width <= _WIDEST:
        raise BundleError(f"config.json has {shown(heads)} heads in a hidden_size of {shown(width)}")
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    base = config.get("rope_theta", rope.get("rope_theta", 10_000.0) if isinstance(rope, dict) else None)
    return LlamaSpec.from_json(
        {
            "vocabulary": config.get("vocab_size"),
            "layers": config.get("num_hidden_layers"),
            "width": width,
            "heads": heads,
            "key_value_heads": config.get("num_key_value_heads", heads),
            "inner": config.get("intermediate_size"),
            "context": config.get("max_position_embeddings"),
            "rope_base": float(base) if type(base) is int and base < 1e15 else base,
            "rms_epsilon": config.get("rms_norm_eps", 1e-6),
            "tied": config.get("tie_word_embeddings", False),
            "rope_factors": _rope_factors(rope, base, width // heads // 2),
        }
    )


def _rope_factors(rope: Any, base: Any, half: int) -> list[float]:
    """Return Llama 3.1's factors: low frequencies are slowed down, high ones stay, the rest lie between."""
    kind = rope.get("rope_type", rope.get("type", "default")) if isinstance(rope, dict) else rope
    if kind == "default":
        return []
    names = ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
    given = [rope.get(name) if isinstance(rope, dict) else None for name in names]
    numbers = [float(value) for value in [*given, base] if type(value) in (int, float) and 0 < value < 1e9]
    if kind != "llama3" or len(numbers) != 5:
        raise BundleError(f"config.json scales its positions by {shown(rope)}; default and llama3 are read")
    factor, low, high, context, base = numbers
    if high <= low:
        raise BundleError("config.json has a high_freq_factor that is not above its low_freq_factor")
    factors = []
    for i in range(half):
        turns = context * base ** (-i / half) / (2 * math.pi)
        share = min(1.0, max(0.0, (turns - low) / (high - low)))
        factors.append(1.0 / (share + (1.0 - share) / factor))
    return factors


class _Weights:
    """The weights of a folder, mapped."""

    def __init__(self, folder: Path) -> None:
        self._file_of: dict[str, SafetensorsFile] = {}
        for name in _files(folder):
            file = SafetensorsFile(folder / name)
            self._file_of |= dict.fromkeys(file.entries, file)

    def check(self, spec: LlamaSpec) -> None:
        """Refuse weights of other names or shapes."""
        for name, shape in spec.shapes().items():
            file = self._file_of.get(_published(name))
            found = None if file is None else file.entries[_published(name)].shape
            if found != shape:
                raise BundleError(
                    f"the weight {_published(name)} has the shape {found}; config.json asks for {shape}"
                )
        known = set(map(_published, spec.shapes())) | {_published("output")}
        for name in self._file_of:
            # Older files hold the rotary frequencies, which follow from the configuration.
            if name not in known and not name.endswith("rotary_emb.inv_freq"):
                raise BundleError(f"there is a weight {name!r:.80}, which config.json does not explain")

    def weight(self, name: str) -> npt.NDArray[np.float32]:
        """Return a weight by its name here."""
        return self._file_of[_published(name)].floats(_published(name))


def _files(folder: Path) -> list[str]:
    if not (folder / INDEX).is_file():
        return [WEIGHTS]
    index = parse_json(read_bounded(folder / INDEX, _LARGEST_INDEX), folder / INDEX)
    listed = index.get("weight_map") if isinstance(index, dict) else None
    values = list(listed.values()) if isinstance(listed, dict) else []
    if not values or not all(isinstance(name, str) and _FILE.fullmatch(name) for name in values):
        raise BundleError(f"{folder / INDEX} lists no safetensors files of its folder")
    files = sorted(set(values))
    if len(files) > _MOST_FILES:
        raise BundleError(f"{folder / INDEX} lists {len(files):,} files; at most {_MOST_FILES} are read")
    return files


def _published(name: str) -> str:
    """Return Hugging Face's name of a weight."""
    if name in _WHOLE:
        return f"{_WHOLE[name]}.weight"
    layer, part = name.removeprefix("layer").split(".")
    return f"model.layers.{layer}.{_PARTS[part]}.weight"


def _readme(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return licence and languages from the block at the beginning of a model card."""
    try:
        text = read_bounded(path, _LARGEST_CONFIG).decode("utf-8", "replace")
    except BundleError:
        return "unknown", ()
    block = text.removeprefix("---\n").split("\n---", 1)[0] if text.startswith("---\n") else ""
    licence = re.search(r"^license(?:_name)?:[ \t]*([\w.+-]{1,60})[ \t]*$", block, re.MULTILINE)
    languages = re.search(
        r"^languages?:((?:[ \t]*\n- *[\w-]{1,20})+|[ \t]*[\w-]{1,20})[ \t]*$", block, re.MULTILINE
    )
    codes = re.findall(r"[\w-]*\w", languages[1]) if languages else []
    return licence[1] if licence else "unknown", tuple(code.lstrip("-") for code in codes)
