"""The interface of every tokenizer: text to tokens and back, saved as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from textgen.levels import CHAR, LEVELS, WORD
from textgen.tokenizers.stream import StreamDecoder
from textgen.unicode import plain_forms

Tokens = npt.NDArray[np.uint16] | npt.NDArray[np.uint32]

UNKNOWN = 0
"""The token of symbols that are not in the vocabulary. It is never sampled."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""The text of `UNKNOWN`."""


class Tokenizer(Protocol):
    """Text to tokens and back.

    A text can be encoded in pieces that end in line breaks: the tokens are the same as those of the whole.
    """

    level: str
    lowercase: bool = False
    """Whether the model sees lower-case text only."""

    @property
    def unit(self) -> str:
        """What the length of a text counts; see `textgen.levels.Level`."""
        return LEVELS[self.level].unit

    @property
    def counts_tokens(self) -> bool:
        """Whether the length of a text, in `unit`, is its number of tokens."""
        return self.level in (CHAR.name, WORD.name)

    @property
    def size(self) -> int:
        """Number of tokens, `UNKNOWN` included."""
        ...

    def normalize(self, text: str) -> str:
        """Return the text as the model sees it."""
        return text.lower() if self.lowercase else text

    def seed_text(self, text: str) -> str:
        """Return a prompt as the model continues it."""
        return self.normalize(text)

    def writes(self, symbol: str) -> bool:
        """Return whether a decoded text can contain a character."""
        ...

    def fold(self, text: str) -> tuple[str, dict[str, str]]:
        """Return a typed text, normalized, with known forms of unknown symbols; and the replacements."""
        return self.fold_symbols(text)

    def fold_symbols(self, text: str) -> tuple[str, dict[str, str]]:
        """Return the same as `fold`, but character by character at every level: for stop sequences."""
        return plain_forms.fold(self.normalize(text), self.writes)

    def without_unseen(self, text: str) -> str:
        """Return a normalized text without the symbols that `unseen` returns."""
        unseen = set(self.unseen(text))
        return "".join(symbol for symbol in text if symbol not in unseen)

    def unwritable(self, text: str) -> list[str]:
        """Return the distinct characters of a text that no decoded text can contain."""
        return [symbol for symbol in dict.fromkeys(text) if not self.writes(symbol)]

    def encode(self, text: str) -> Tokens:
        """Return the tokens of a text, shape (tokens,); unseen symbols become `UNKNOWN`."""
        ...

    def open_end(self, text: str) -> tuple[Tokens, bytes]:
        """Return the tokens of a prompt without its last word, and the bytes of that word.

        Only where tokens join letters; elsewhere the whole prompt has tokens, and the rest is b"". The tokens
        may be none. `textgen.sampling.prompt_end` says what this is for.
        """
        return self.encode(text), b""

    def unseen(self, text: str) -> list[str]:
        """Return the distinct symbols of a text that are not in the vocabulary, in order of appearance."""
        ...

    def decode(self, tokens: Iterable[int], after: Sequence[int] | Tokens = ()) -> str:
        """Return the text of tokens.

        Args:
            tokens: the tokens to decode.
            after: the tokens before them; at word level they decide about the first space.
        """
        decoder = self.decoder(after)
        return "".join(map(decoder.feed, tokens)) + decoder.finish()

    def decoder(self, after: Sequence[int] | Tokens = ()) -> StreamDecoder:
        """Return a decoder of single tokens; its pieces together are the result of `decode`."""
        ...

    def name_of(self, token: int) -> str:
        """Return a text that identifies a token."""
        ...

    def extended(self, text: Iterable[str]) -> Tokenizer:  # noqa: ARG002 -- not every level can
        """Return a tokenizer that also knows the symbols of a further text, if the level allows it.

        Existing tokens keep their numbers. Word level keeps its vocabulary, because the spacing rules were
        learned with it. Bytes need no more symbols.
        """
        return self

    def to_json(self) -> dict[str, Any]:
        """Return JSON data for `from_json` of the same class."""
        ...

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Tokenizer:
        """Return the tokenizer that `to_json` described.

        Raises:
            BundleError: the data has another shape.
        """
        ...


def token_array(tokens: Sequence[int], size: int) -> Tokens:
    """Return tokens as an array of the smallest type for a vocabulary of ``size``."""
    return np.array(tokens, np.uint16) if size <= 1 << 16 else np.array(tokens, np.uint32)


def pieces(text: str | Iterable[str]) -> Iterable[str]:
    """Return the pieces of a text; a whole text is one piece."""
    return [text] if isinstance(text, str) else text
