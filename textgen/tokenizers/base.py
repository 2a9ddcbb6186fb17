"""What every tokenizer can do: text to token numbers and back, saved as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from textgen.levels import LEVELS
from textgen.tokenizers.stream import StreamDecoder
from textgen.unicode import plain_forms

Tokens = npt.NDArray[np.uint16] | npt.NDArray[np.uint32]

UNKNOWN = 0
"""The token of whatever the training text did not hold. It is never generated."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""How `UNKNOWN` reads."""

_BLOCK = 1 << 20


class Tokenizer(Protocol):
    """Text to tokens and back.

    A text may be encoded in pieces that end in line breaks: the tokens are those of the whole.
    """

    level: str

    @classmethod
    def build(
        cls,
        text: str | Iterable[str],
        *,
        pristine_input: bool,
        pristine_output: bool,
        vocabulary_size: int | None,
    ) -> Tokenizer:
        """Return the tokenizer of a training text; `textgen.tokenizers.train` describes the arguments."""
        ...

    @property
    def unit(self) -> str:
        """What `length_of` counts; see `textgen.levels.Level`."""
        return LEVELS[self.level].unit

    @property
    def size(self) -> int:
        """Number of tokens, `UNKNOWN` included."""
        ...

    def normalize(self, text: str) -> str:
        """Return the text as the model sees it (lower-cased, say)."""
        return text

    def seed_text(self, text: str) -> str:
        """Return a seed text as the model goes on from it; it stands before what the model writes."""
        return self.normalize(text)

    def writes(self, symbol: str) -> bool:
        """Whether what the tokenizer decodes can hold a character that its training text held."""
        ...

    def fold(self, text: str) -> tuple[str, dict[str, str]]:
        """Return a typed text, normalized, with known forms of what is unknown; and what stands for what."""
        return self.fold_symbols(text)

    def fold_symbols(self, text: str) -> tuple[str, dict[str, str]]:
        """Return what `fold` does, character by character at every level: for a text that is looked for."""
        return plain_forms.fold(self.normalize(text), self.writes)

    def without_unseen(self, text: str) -> str:
        """Return a normalized text without what `unseen` names."""
        unseen = set(self.unseen(text))
        return "".join(symbol for symbol in text if symbol not in unseen)

    def unwritable(self, text: str) -> list[str]:
        """Return the distinct characters of a text that can stand in nothing that is decoded."""
        return [symbol for symbol in dict.fromkeys(text) if not self.writes(symbol)]

    def encode(self, text: str) -> Tokens:
        """Return the tokens of a text, shape (tokens,); unseen symbols become `UNKNOWN`."""
        ...

    def unseen(self, text: str) -> list[str]:
        """Return the distinct symbols of a text that the vocabulary lacks, in order of appearance."""
        ...

    def decode(self, tokens: Iterable[int], after: Sequence[int] | Tokens = ()) -> str:
        """Return the text of tokens.

        Args:
            tokens: what to read.
            after: tokens that stand before them; at word level they decide about the first space.
        """
        decoder = self.decoder(after)
        return "".join(map(decoder.feed, tokens)) + decoder.finish()

    def decoder(self, after: Sequence[int] | Tokens = ()) -> StreamDecoder:
        """Return what reads tokens one by one; together the pieces are what `decode` returns."""
        ...

    def length_of(self, tokens: Sequence[int] | Tokens) -> int:
        """Return the length of tokens in `unit`."""
        return len(tokens)

    def name_of(self, token: int) -> str:
        """Return a text that stands for this token alone."""
        ...

    def extended(self, text: Iterable[str]) -> Tokenizer:  # noqa: ARG002 -- not every level can
        """Return a tokenizer that also knows what a further text holds, where the level allows it.

        The tokens that there are keep their numbers. Words keep their vocabulary, since what joins
        what was learnt with it; bytes need no more.
        """
        return self

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` of the same class needs."""
        ...

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Tokenizer:
        """Return the tokenizer that `to_json` described.

        Raises:
            BundleError: the data has another shape.
        """
        ...


def coverage(tokens: Tokens) -> float:
    """Return the share of tokens that the vocabulary holds, 0 to 1."""
    return 1.0 - float(np.count_nonzero(tokens == UNKNOWN)) / len(tokens) if len(tokens) else 1.0


def token_array(tokens: Sequence[int], size: int) -> Tokens:
    """Return tokens in the smallest type that holds a vocabulary of ``size``."""
    return np.array(tokens, np.uint16) if size <= 1 << 16 else np.array(tokens, np.uint32)


def pieces(text: str | Iterable[str]) -> Iterator[str]:
    """Return a text in pieces of about a megabyte that end in line breaks, where there are any.

    Args:
        text: a whole text, or what is in such pieces already.
    """
    if not isinstance(text, str):
        yield from text
        return
    start = 0
    while start < len(text):
        end = start + _BLOCK
        cut = text.rfind("\n", start, end) + 1 if end < len(text) else len(text)
        yield text[start : cut or end]
        start = cut or end
