"""Tokens on disk: written piece by piece, and read as a memory map."""

from __future__ import annotations

import io
import mmap
import os
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from textgen.tokenizers import Tokenizer, Tokens

_NARROW = 1 << 16


def token_type(vocabulary: int) -> npt.DTypeLike:
    """Return the smallest type for the tokens of a vocabulary."""
    return np.uint16 if vocabulary <= _NARROW else np.uint32


class TokenWriter:
    """Encodes a text that arrives in pieces.

    Args:
        target: gets the tokens as plain numbers in this machine's byte order.
        tokenizer: encodes the text.
    """

    def __init__(self, target: IO[bytes], tokenizer: Tokenizer) -> None:
        """Start without a token."""
        self.tokens = self.unknown = 0
        self._target, self._tokenizer = target, tokenizer
        self._type = token_type(tokenizer.size)

    def add(self, text: str) -> int:
        """Write the tokens of the next piece, and return the number of `UNKNOWN` ones."""
        tokens = self._tokenizer.encode(text).astype(self._type, copy=False)
        unknown = len(tokens) - int(np.count_nonzero(tokens))
        self._target.write(tokens.data)
        self.tokens, self.unknown = self.tokens + len(tokens), self.unknown + unknown
        return unknown

    def add_token(self, token: int) -> None:
        """Write a token that stands for no text."""
        self._target.write(np.array([token], self._type).data)
        self.tokens += 1

    @property
    def coverage(self) -> float:
        """Share of the tokens that are in the vocabulary, 0 to 1."""
        return 1 - self.unknown / self.tokens if self.tokens else 1.0


def open_tokens(source: Path | IO[bytes], vocabulary: int) -> Tokens:
    """Return the tokens in a file, shape (tokens,): as a read-only memory map, unless it is in memory itself.

    The array stays valid if the file is deleted or replaced.
    """
    if isinstance(source, io.BytesIO):
        return np.frombuffer(source.getbuffer(), token_type(vocabulary))
    if isinstance(source, Path):
        with source.open("rb") as stream:
            return open_tokens(stream, vocabulary)
    source.flush()
    # An empty file cannot be mapped.
    if not os.fstat(source.fileno()).st_size:
        return np.empty(0, token_type(vocabulary))
    return np.frombuffer(mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ), token_type(vocabulary))
