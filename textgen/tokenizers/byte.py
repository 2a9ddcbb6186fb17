"""One token a byte of UTF-8: no text of any script is ever unknown, and there are only 257 tokens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from textgen.errors import BundleError
from textgen.levels import BYTE
from textgen.tokenizers.base import Tokens, pieces
from textgen.tokenizers.byte_pieces import SINGLE_BYTES, BytePieces, check_size, utf8

_MOST_SYMBOLS = 65_000


class ByteTokenizer(BytePieces):
    """Maps each byte b to the token b + 1, as the subword level does before any merge.

    Args:
        symbols: the characters of the training text. A typed text is folded to them
            (`textgen.unicode.plain_forms`), so that a model reads the quotation marks that it has learned.
    """

    level = BYTE.name

    def __init__(self, symbols: str) -> None:
        """Take the characters; the bytes are always the same."""
        super().__init__(SINGLE_BYTES)
        self.symbols = frozenset(symbols)

    @classmethod
    def train(cls, text: str | Iterable[str], *, vocabulary_size: int | None = None) -> ByteTokenizer:
        """Collect the characters of a training text.

        Args:
            text: clean text, whole or in pieces that end in line breaks.
            vocabulary_size: None, or at least 257; there are never more tokens than that.

        Raises:
            SettingsError: the vocabulary cannot hold the bytes.
        """
        check_size(cls.level, vocabulary_size)
        symbols: set[str] = set()
        for piece in pieces(text):
            symbols.update(piece)
        return cls("".join(sorted(symbols)[:_MOST_SYMBOLS]))

    def encode(self, text: str) -> Tokens:
        """Return the tokens of a text, shape (bytes,).

        Raises:
            SettingsError: the text has a lone surrogate.
        """
        return np.frombuffer(utf8(text), np.uint8).astype(np.uint16) + np.uint16(1)

    def writes(self, symbol: str) -> bool:
        """Whether the training text held a character, or it is one of ASCII."""
        return symbol.isascii() or symbol in self.symbols

    def to_json(self) -> dict[str, Any]:
        """Return the tokenizer as JSON data."""
        return {"level": self.level, "symbols": "".join(sorted(self.symbols))}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ByteTokenizer:
        """Return the tokenizer that `to_json` described.

        Raises:
            BundleError: the data has another shape.
        """
        symbols = data.get("symbols")
        if not isinstance(symbols, str) or len(symbols) > _MOST_SYMBOLS:
            raise BundleError(f"tokenizer.json needs `symbols`, at most {_MOST_SYMBOLS:,} characters")
        return cls(symbols)
