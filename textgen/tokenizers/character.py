"""A token for each character: the smallest vocabulary, and no merges to learn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.errors import BundleError
from textgen.levels import CHAR
from textgen.tokenizers.base import REPLACEMENT, Tokenizer, Tokens, pieces
from textgen.tokenizers.stream import StreamDecoder

MAXIMUM_SYMBOLS = 65_000


class CharacterTokenizer(Tokenizer):
    """Maps each character to a number, the most frequent first.

    Args:
        symbols: the known characters; the first becomes token 1, because 0 is `UNKNOWN`.
        lowercase: whether text is lower-cased before it is looked up.
    """

    level = CHAR.name

    def __init__(self, symbols: str, *, lowercase: bool) -> None:
        """Build the two look-up tables."""
        self.symbols = symbols
        self.lowercase = lowercase
        points = code_points(symbols)
        # The table contains all of ASCII, so ASCII text needs no bounds check.
        self._token_of_point: npt.NDArray[np.uint16] = np.zeros(
            max(int(points.max(initial=0)) + 2, 129), np.uint16
        )
        self._token_of_point[points] = np.arange(1, len(points) + 1)
        self._symbol_of_token: list[str] = [REPLACEMENT, *symbols]
        self._known = frozenset(symbols)

    @classmethod
    def train(
        cls, text: str | Iterable[str], *, lowercase: bool, vocabulary_size: int | None = None
    ) -> CharacterTokenizer:
        """Build the vocabulary of a training text.

        Args:
            text: clean text, whole or in pieces that end in line breaks.
            lowercase: whether the model sees lower-case text only.
            vocabulary_size: highest number of tokens; None for no limit. The rarest characters become
                `UNKNOWN`.
        """
        limit = min(vocabulary_size or MAXIMUM_SYMBOLS, MAXIMUM_SYMBOLS) - 1
        counts: Counter[str] = Counter()
        for piece in pieces(text):
            counts.update(count_symbols(piece.lower() if lowercase else piece))
        # Characters with the same count are sorted by code point, so the same text gives the same vocabulary.
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return cls("".join(symbol for symbol, _ in ranked[:limit]), lowercase=lowercase)

    @property
    def size(self) -> int:
        """Number of tokens, `UNKNOWN` included."""
        return len(self._symbol_of_token)

    def encode(self, text: str) -> Tokens:
        """Return the tokens of a text, shape (characters,)."""
        points = code_points(self.normalize(text))
        if points.dtype == np.uint8:
            return self._token_of_point[points]
        # Code points beyond the table get its last entry, which is UNKNOWN.
        return self._token_of_point[np.minimum(points, len(self._token_of_point) - 1)]

    def unseen(self, text: str) -> list[str]:
        """Return the distinct characters of a text that are not in the vocabulary."""
        return [symbol for symbol in dict.fromkeys(self.normalize(text)) if symbol not in self._known]

    def writes(self, symbol: str) -> bool:
        """Return whether a character is in the vocabulary."""
        return symbol in self._known

    def decode(self, tokens: Iterable[int], after: Sequence[int] | Tokens = ()) -> str:  # noqa: ARG002 -- see Tokenizer
        """Return the text of tokens; `UNKNOWN` reads as the replacement character."""
        return "".join(map(self._symbol_of_token.__getitem__, tokens))

    def decoder(self, after: Sequence[int] | Tokens = ()) -> StreamDecoder:  # noqa: ARG002 -- see Tokenizer
        """Return a decoder of single tokens."""
        return StreamDecoder(self._symbol_of_token.__getitem__)

    def name_of(self, token: int) -> str:
        """Return the token's character."""
        return self._symbol_of_token[token]

    def extended(self, text: Iterable[str]) -> CharacterTokenizer:
        """Return a tokenizer with the characters of a further text added at the end."""
        further = CharacterTokenizer.train(text, lowercase=self.lowercase).symbols
        symbols = "".join(dict.fromkeys(self.symbols + further))
        return CharacterTokenizer(symbols[: MAXIMUM_SYMBOLS - 1], lowercase=self.lowercase)

    def to_json(self) -> dict[str, Any]:
        """Return the tokenizer as JSON data."""
        return {"level": self.level, "symbols": self.symbols, "lowercase": self.lowercase}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> CharacterTokenizer:
        """Return the tokenizer that `to_json` described.

        Raises:
            BundleError: the data has another shape.
        """
        symbols, lowercase = data.get("symbols"), data.get("lowercase")
        if not isinstance(symbols, str) or not isinstance(lowercase, bool):
            raise BundleError("tokenizer.json needs `symbols` (text) and `lowercase` (true or false)")
        if not 1 <= len(symbols) <= MAXIMUM_SYMBOLS or len(set(symbols)) != len(symbols):
            raise BundleError(
                f"tokenizer.json needs 1 to {MAXIMUM_SYMBOLS:,} different symbols, got {len(symbols):,}"
            )
        return cls(symbols, lowercase=lowercase)


def count_symbols(text: str) -> dict[str, int]:
    """Return the count of each character of a text, ten times as fast as a Counter on long texts."""
    counts = np.bincount(code_points(text))
    return {chr(point): int(counts[point]) for point in np.flatnonzero(counts)}


def code_points(text: str) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint32]:
    """Return the code point of each character of a text, shape (characters,)."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    # "surrogatepass", because UTF-32 refuses lone surrogates, which are legal Python characters.
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
