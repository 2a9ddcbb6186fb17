"""A base in a GGUF file: sizes and tokenizer from its metadata, weights from its tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.argument_checks import shown
from textgen.errors import BundleError
from textgen.pretrained import sentencepiece
from textgen.pretrained.sources.found import (
    OUR_FAMILY,
    Found,
    Pieces,
    check_token,
    name_from,
    numbered,
    start_of,
    with_rows_exchanged,
)
from textgen.pretrained.sources.gguf_file import GgufFile
from textgen.pretrained.spec import LlamaSpec
from textgen.pretrained.tokenizer import split_merge

_NORMAL, _UNUSED, _BYTE = 1, 5, 6
_SPLITS = {
    "smollm": "smollm",
    "gpt-2": "gpt2",
    "gpt2": "gpt2",
    "llama-bpe": "llama3",
    "llama3": "llama3",
    "qwen2": "qwen2",
}
_PARTS = {
    "attention_norm": "attn_norm",
    "query": "attn_q",
    "key": "attn_k",
    "value": "attn_v",
    "attention_output": "attn_output",
    "mlp_norm": "ffn_norm",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}
_WHOLE = {"embedding": "token_embd", "norm": "output_norm", "output": "output"}
_ROPE_FACTORS = "rope_freqs.weight"


def find(path: Path) -> Found:
    """Return the base in a file.

    Raises:
        BundleError: it is cut or damaged, or holds a network of another family.
    """
    file = GgufFile(path)
    spec = _spec(file)
    tokenizer, other = numbered(_pieces(file), spec.vocabulary)
    expected = {_published(name): shape for name, shape in spec.shapes().items()}
    found = {name: tensor.shape for name, tensor in file.tensors.items() if name != _ROPE_FACTORS}
    if found != expected:
        wrong = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))[0]
        raise BundleError(
            f"{path}: the tensor {wrong!r:.80} has the shape {found.get(wrong)}; "
            f"the sizes ask for {expected.get(wrong)}"
        )

    def weight(name: str) -> npt.NDArray[np.float32]:
        array = file.floats(_published(name))
        part = name.rpartition(".")[2]
        heads = {"query": spec.heads, "key": spec.key_value_heads}.get(part)
        if heads is None:
            return array
        # llama.cpp turns neighbours, (2 i, 2 i + 1), where the published weights turn (i, i + head / 2).
        split = array.reshape(heads, spec.head // 2, 2, spec.width)
        return split.swapaxes(1, 2).reshape(array.shape)

    return Found(
        name_from(_text(file, "general.basename") or path.stem),
        spec,
        tokenizer,
        with_rows_exchanged(weight, other),
        _text(file, "general.license") or "unknown",
        tuple(code[:20] for code in _texts(file, "general.languages")[:50]),
        _text(file, "general.name"),
    )


def _spec(file: GgufFile) -> LlamaSpec:
    kind = file.values.get("general.architecture")
    if kind != "llama":
        raise BundleError(f"{file.path} is of the architecture {shown(kind)}; {OUR_FAMILY}")

    def given(name: str, default: object = None) -> Any:
        return file.values.get(f"llama.{name}", default)

    embedding = file.tensors.get(_published("embedding"))
    if embedding is None:
        raise BundleError(f"{file.path} has no tensor {_published('embedding')!r}")
    factors: list[float] = []
    if _ROPE_FACTORS in file.tensors:
        half = file.tensors[_ROPE_FACTORS].shape[-1]
        if half > 65_536 or file.tensors[_ROPE_FACTORS].shape != (half,):
            raise BundleError(f"{file.path}: {_ROPE_FACTORS} has another shape than a list of numbers")
        factors = file.floats(_ROPE_FACTORS).astype(float).tolist()
    width, heads = given("embedding_length"), given("attention.head_count")
    rotated = given("rope.dimension_count")
    if rotated is not None and (type(heads) is not int or rotated * heads != width):
        raise BundleError(
            f"{file.path} turns {shown(rotated)} numbers of a head; {OUR_FAMILY}: all are turned"
        )
    return LlamaSpec.from_json(
        {
            "vocabulary": embedding.shape[0],
            "layers": given("block_count"),
            "width": width,
            "heads": heads,
            "key_value_heads": given("attention.head_count_kv", heads),
            "inner": given("feed_forward_length"),
            "context": given("context_length"),
            "rope_base": given("rope.freq_base", 10_000.0),
            # 1e-5 was written in 32 bits.
            "rms_epsilon": _rounded(given("attention.layer_norm_rms_epsilon")),
            "tied": _published("output") not in file.tensors,
            "rope_factors": factors,
        }
    )


def _rounded(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _pieces(file: GgufFile) -> Pieces:
    values = file.values
    model, way = values.get("tokenizer.ggml.model"), values.get("tokenizer.ggml.pre")
    if model != "llama" and (model != "gpt2" or way not in _SPLITS):
        raise BundleError(
            f"{file.path} has a tokenizer of the kind {shown(model)}, {shown(way)}; llama is read, and gpt2 "
            f"with texts split by {', '.join(_SPLITS)}"
        )
    tokens, kinds = _texts(file, "tokenizer.ggml.tokens"), values.get("tokenizer.ggml.token_type")
    if not isinstance(kinds, np.ndarray) or len(kinds) != len(tokens):
        raise BundleError(f"{file.path} has {len(tokens):,} tokens, and not a type for each of them")
    texts = (_NORMAL, _BYTE) if model == "llama" else (_NORMAL,)
    special = {token for token, kind in enumerate(kinds.tolist()) if kind not in texts}
    first = values.get("tokenizer.ggml.bos_token_id")
    # A file of SentencePiece's kind means yes if it does not say.
    begins = first if values.get("tokenizer.ggml.add_bos_token", model == "llama") is True else None
    split = sentencepiece.SPLIT if model == "llama" else _SPLITS[str(way)]
    return Pieces(
        dict(enumerate(map(check_token, tokens))),
        _scored(file, tokens, kinds)
        if model == "llama"
        else [split_merge(merge) for merge in _texts(file, "tokenizer.ggml.merges")],
        split,
        frozenset(special),
        start_of({tokens[token]: token for token in special}, begins),
        whole_first=split == "llama3",
    )


def _scored(file: GgufFile, tokens: list[str], kinds: npt.NDArray[Any]) -> list[tuple[str, str]]:
    scores = file.values.get("tokenizer.ggml.scores")
    if not isinstance(scores, np.ndarray) or len(scores) != len(tokens) or not np.isfinite(scores).all():
        raise BundleError(f"{file.path} has {len(tokens):,} tokens, and not a score for each of them")
    whole = {check_token(tokens[number]): number for number in np.flatnonzero(kinds == _NORMAL).tolist()}
    return sentencepiece.merges_of(whole, scores.tolist())


def _published(name: str) -> str:
    """Return llama.cpp's name of a weight."""
    if name in _WHOLE:
        return f"{_WHOLE[name]}.weight"
    layer, part = name.removeprefix("layer").split(".")
    return f"blk.{layer}.{_PARTS[part]}.weight"


def _text(file: GgufFile, key: str) -> str:
    value = file.values.get(key)
    return value[:100] if isinstance(value, str) else ""


def _texts(file: GgufFile, key: str) -> list[str]:
    value = file.values.get(key)
    return value if isinstance(value, list) else []
