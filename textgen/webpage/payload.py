"""A model as bytes for a page: weights to the bit, counts as columns, and what a typed seed needs.

The bytes are deflated as a whole: 4 with the size of the JSON, the lowest first; the JSON, which says where
each column lies; the columns.

``static/model.js`` is the reader.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

import numpy as np

from textgen.bundle import Bundle
from textgen.errors import BundleError
from textgen.experts.kneser_ney import KneserNey
from textgen.experts.long import Long
from textgen.experts.words import Words
from textgen.levels import CHAR
from textgen.network.spec import NetworkSpec
from textgen.tokenizers import CharacterTokenizer
from textgen.webpage.columns import Column, planes
from textgen.webpage.counts import chains, ngrams
from textgen.webpage.forms import SPACES, forms_of

CELL = "linear"


def payload_of(bundle: Bundle) -> bytes:
    """Return a model as bytes.

    Raises:
        BundleError: a page cannot hold a model of this kind.
    """
    spec, tokenizer = bundle.spec, bundle.tokenizer
    if not (
        isinstance(spec, NetworkSpec) and spec.cell == CELL and isinstance(tokenizer, CharacterTokenizer)
    ):
        raise BundleError(
            f"this is a model of {bundle.manifest.level}s with the cell {bundle.manifest.cell}; "
            f"a page holds models of {CHAR.name}s with the cell {CELL}"
        )
    columns: dict[str, Column] = {}
    described: dict[str, Any] = {}
    for expert in bundle.experts:
        if isinstance(expert, KneserNey):
            columns |= ngrams.columns(expert)
        elif isinstance(expert, Words | Long):
            columns |= chains.columns(expert)
            described[expert.name] = {
                "name": expert.name,
                "discounts": expert.counted.counts.by_level.reshape(-1).tolist(),
                "pieces": expert.counted.pieces.nodes,
                "contexts": expert.counted.contexts.nodes,
                "entries": expert.entries,
            }
            if isinstance(expert, Words):
                described[expert.name]["kinds"] = expert.kinds.tolist()
        else:
            raise BundleError(f"this model counts {expert.name}, which no page can hold")
    ordered = [bundle.weights[name].astype("<f4").reshape(-1) for name in spec.shapes()]
    columns["weights"] = np.concatenate(ordered).view("<u4")
    # The line starts of the corpus that the model knows, as it reads them.
    starts = [tokenizer.seed_text(seed) for seed in bundle.manifest.seeds if not tokenizer.unseen(seed)]
    data = bytearray()
    places: dict[str, tuple[int, int, int]] = {}
    for name, column in columns.items():
        by_place = planes(column)
        places[name] = len(data), len(column), len(by_place)
        data += by_place.tobytes()
    described |= {
        "spec": {**spec.to_json(), "mixed": spec.mixed, "feeds_prior": spec.feeds_prior,
                 "confidences": spec.confidences},
        "parameters": [(name, shape) for name, shape in spec.shapes().items()],
        "columns": places,
        "symbols": tokenizer.symbols,
        "lowercase": tokenizer.lowercase,
        "forms": forms_of(tokenizer),
        "spaces": SPACES,
        "starts": [] if bundle.manifest.items else starts,
    }  # fmt: skip
    text = json.dumps(described, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return zlib.compress(len(text).to_bytes(4, "little") + text + bytes(data), 9)
