"""A model as bytes for a page: weights to the bit, counts as columns, and what a typed seed needs.

=========================  ==================================================
4 bytes                    size of the deflated part, the lowest byte first
deflated                   4 bytes: size of the JSON; JSON; the frequencies of all columns
sections                   what does not get smaller: the columns' words, the weights' lower bytes
=========================  ==================================================

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
from textgen.webpage.columns import Column
from textgen.webpage.counts import chains, ngrams
from textgen.webpage.forms import SPACES, forms_of

CELL = "linear"


class _Sections:
    """Bytes one after the other, each beginning at an even place."""

    def __init__(self) -> None:
        self.data = bytearray()

    def add(self, data: bytes) -> tuple[int, int]:
        """Append bytes and return where they begin and end."""
        begin = len(self.data)
        self.data += data
        end = len(self.data)
        self.data += bytes(end % 2)
        return begin, end


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
    plain, tables = _Sections(), _Sections()
    ordered = [bundle.weights[name] for name in spec.shapes()]
    planes = np.concatenate([array.astype("<f4").reshape(-1) for array in ordered]).view(np.uint8)
    low, high = planes.reshape(-1, 4)[:, :3], planes.reshape(-1, 4)[:, 3]
    columns["weights.high"] = Column.of(high, np.zeros(len(high), np.int64), direct=256)
    described |= {
        "spec": {**spec.to_json(), "mixed": spec.mixed, "feeds_prior": spec.feeds_prior,
                 "confidences": spec.confidences},
        "parameters": [(name, shape) for name, shape in spec.shapes().items()],
        "low": plain.add(low.T.tobytes()),
        "columns": {name: _placed(column, plain, tables) for name, column in columns.items()},
        "symbols": tokenizer.symbols,
        "lowercase": tokenizer.lowercase,
        "forms": forms_of(tokenizer),
        "spaces": SPACES,
        "starts": [] if bundle.manifest.items else line_starts(bundle),
    }  # fmt: skip
    text = json.dumps(described, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (len(text) % 2)
    deflated = zlib.compress(len(text).to_bytes(4, "little") + text + bytes(tables.data), 9)
    return len(deflated).to_bytes(4, "little") + deflated + bytes(plain.data)


def line_starts(bundle: Bundle) -> list[str]:
    """Return the line starts of the corpus that the model knows, as it reads them."""
    tokenizer = bundle.tokenizer
    return [tokenizer.seed_text(seed) for seed in bundle.manifest.seeds if not tokenizer.unseen(seed)]


def _placed(column: Column, plain: _Sections, tables: _Sections) -> dict[str, Any]:
    return {
        "direct": column.direct,
        "symbols": column.frequencies.shape[1],
        "frequencies": tables.add(column.frequencies.astype("<u2").tobytes()),
        "states": plain.add(column.states.astype("<u4").tobytes()),
        "words": plain.add(column.words.astype("<u2").tobytes()),
        "bits": plain.add(column.bits.tobytes()),
    }
