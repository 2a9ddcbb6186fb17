"""What every tokenizer can do: text to token numbers and back, saved as JSON."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.uint16] | npt.NDArray[np.uint32]

UNKNOWN = 0
"""The token of whatever the training text did not hold. It is never generated."""


class Tokenizer(Protocol):
    """Text to tokens and back."""

    level: str

    @property
    def size(self) -> int:
        """Number of tokens, `UNKNOWN` included."""
        ...

    def normalize(self, text: str) -> str:
        """Return the text as the model sees it (lower-cased, say)."""
        ...

    def encode(self, text: str) -> Tokens:
        """Return the tokens of a text, shape (tokens,); unseen symbols become `UNKNOWN`."""
        ...

    def unseen(self, text: str) -> list[str]:
        """Return the distinct symbols of a text that the vocabulary lacks, in order of appearance."""
        ...

    def decode(self, tokens: Any) -> str:
        """Return the text of tokens."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` of the same class needs."""
        ...
