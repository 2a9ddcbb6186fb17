"""A tiny base of Llama's family, made on the spot: random weights, and tokens for bytes and a few words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from textgen.pretrained import base_bundle, store
from textgen.pretrained.base import About
from textgen.pretrained.spec import LlamaSpec
from textgen.pretrained.tokenizer import BaseTokenizer
from textgen.tokenizers.byte_pieces import bytes_of_letters

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_MERGED = ("Ġ t", "Ġ b", "h e", "Ġt he", "o t", "Ġb ot", "i n", "Ġ i", "Ġi s", "Ã ¤", "Ġ Ġ", "T he", "Ġb o")

Weights = dict[str, "np.ndarray[tuple[int, ...], np.dtype[np.float32]]"]


def tokenizer(split: str = "smollm") -> BaseTokenizer:
    """Tokens: three special ones, the 256 bytes, and 13 merges."""
    merges = [(left, right) for left, right in (merge.split(" ") for merge in _MERGED)]
    vocabulary = [*SPECIAL, *bytes_of_letters(), *(left + right for left, right in merges)]
    return BaseTokenizer(vocabulary, merges, split, range(len(SPECIAL)), 0)


def spec(*, tied: bool = True, layers: int = 2) -> LlamaSpec:
    """Two layers, and two pairs of query heads that share their keys and values."""
    size = tokenizer().size
    return LlamaSpec(size, layers, 32, 4, 2, 64, 256, rope_base=10_000.0, rms_epsilon=1e-5, tied=tied)


def weights(sizes: LlamaSpec, random_seed: int = 1) -> Weights:
    """Random weights that are large enough for logits that differ."""
    draw = np.random.default_rng(random_seed)
    return {
        name: (
            (1 + 0.1 * draw.standard_normal(shape)) if len(shape) == 1 else draw.standard_normal(shape) * 0.15
        ).astype(np.float32)
        for name, shape in sizes.shapes().items()
    }


def write(folder: Path, sizes: LlamaSpec | None = None, random_seed: int = 1) -> Weights:
    """Write a tiny base of our own kind into an empty folder, and return the weights before rounding."""
    sizes = sizes or spec()
    made = weights(sizes, random_seed)
    about = About("tiny", "made on the spot", "CC0-1.0", ("en",), "Tiny")
    base_bundle.write(folder, about, sizes, tokenizer(), made.__getitem__)
    return made


def add(name: str = "tiny", sizes: LlamaSpec | None = None) -> Weights:
    """Add a tiny base to this host's bases, which a test keeps in a folder of its own."""
    made: Weights = {}
    store.add(name, lambda folder: made.update(write(folder, sizes)))
    return made
