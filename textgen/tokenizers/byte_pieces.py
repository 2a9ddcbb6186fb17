"""What tokenizers have in common whose tokens are sequences of bytes: from tokens back to text."""

from __future__ import annotations

import codecs
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from textgen.errors import SettingsError
from textgen.tokenizers.base import REPLACEMENT, Tokenizer, Tokens
from textgen.tokenizers.stream import StreamDecoder

SINGLE_BYTES = (b"", *(bytes([byte]) for byte in range(256)))
"""The bytes of `UNKNOWN` and of a token for each byte, with which our own vocabularies of bytes begin."""


class BytePieces(Tokenizer):
    """Decodes tokens that are sequences of bytes.

    Args:
        texts: the bytes of each token; those of tokens without a text, such as `UNKNOWN`, are empty.
    """

    def __init__(self, texts: Iterable[bytes]) -> None:
        """Take the bytes of each token."""
        self._bytes = list(texts)

    @property
    def size(self) -> int:
        """Number of tokens, `UNKNOWN` included."""
        return len(self._bytes)

    def bytes_of(self, token: int) -> bytes:
        """Return the bytes of a token."""
        return self._bytes[token]

    def spelling(self, text: bytes) -> npt.NDArray[np.intp]:
        """Return the tokens that begin with some bytes, or that these bytes begin with, in no order."""
        pieces, tokens = self._sorted
        first = bisect_left(pieces, text)
        last = bisect_left(pieces, True, first, key=lambda piece: not piece.startswith(text))
        shorter: list[int] = []
        for end in range(1, len(text)):
            begun = text[:end]
            shorter += range(bisect_left(pieces, begun, 0, first), bisect_right(pieces, begun, 0, first))
        return tokens[[*shorter, *range(first, last)]] if shorter else tokens[first:last]

    @cached_property
    def _sorted(self) -> tuple[list[bytes], npt.NDArray[np.intp]]:
        """The bytes of the tokens in their order, and the tokens in the same order."""
        order = sorted(filter(self.bytes_of, range(self.size)), key=self.bytes_of)
        return [self._bytes[token] for token in order], np.array(order, np.intp)

    def unseen(self, text: str) -> list[str]:  # noqa: ARG002 -- see Tokenizer
        """Return nothing: every text has tokens."""
        return []

    def writes(self, symbol: str) -> bool:
        """Return whether a token contains a character. ASCII characters are always in one."""
        return symbol.isascii() or symbol in self._symbols

    def unwritable(self, text: str) -> list[str]:  # noqa: ARG002 -- see Tokenizer
        """Return nothing: bytes can make every character."""
        return []

    @cached_property
    def _symbols(self) -> frozenset[str]:
        return frozenset("".join(token.decode(errors="ignore") for token in self._bytes))

    def decode(self, tokens: Iterable[int], after: Sequence[int] | Tokens = ()) -> str:  # noqa: ARG002 -- see Tokenizer
        """Return the text of tokens; bytes that are not UTF-8 read as replacement characters."""
        return b"".join(map(self._bytes.__getitem__, tokens)).decode("utf-8", "replace")

    def decoder(self, after: Sequence[int] | Tokens = ()) -> StreamDecoder:  # noqa: ARG002 -- see Tokenizer
        """Return a decoder of single tokens."""
        reader = codecs.getincrementaldecoder("utf-8")("replace")
        return StreamDecoder(
            lambda token: reader.decode(self._bytes[token]),
            lambda: reader.decode(b"", final=True),
            lambda: bool(reader.getstate()[0]),
        )

    def name_of(self, token: int) -> str:
        """Return the token's text; an incomplete UTF-8 sequence as "<E2 82>"."""
        try:
            return self._bytes[token].decode() if token else REPLACEMENT
        except UnicodeDecodeError:
            return f"<{self._bytes[token].hex(' ').upper()}>"


def bytes_of_letters() -> dict[str, int]:
    """Return the byte of each letter of GPT-2's alphabet, in which byte-level vocabularies are written."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return {chr(byte): byte for byte in visible} | {chr(256 + n): byte for n, byte in enumerate(hidden)}


def check_size(level: str, vocabulary_size: int | None) -> None:
    """Refuse a vocabulary that cannot hold `SINGLE_BYTES`; None is no limit.

    Raises:
        SettingsError: it is too small.
    """
    if vocabulary_size is not None and vocabulary_size < len(SINGLE_BYTES):
        raise SettingsError(
            f"vocab_size is {vocabulary_size}; at {level} level it must be at least {len(SINGLE_BYTES)}, "
            "one token for each byte and one for the unknown"
        )


def utf8(text: str) -> bytes:
    """Return a text in UTF-8.

    Raises:
        SettingsError: it has a lone surrogate.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise SettingsError(
            f"the text has a lone surrogate, U+{ord(text[error.start]):04X}, at offset {error.start:,}: "
            "half a character; remove it"
        ) from None
