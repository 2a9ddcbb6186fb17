"""The tokens of two models together, and what each of the models expects of those that it does not know.

A model gives its unknown token a small probability. It stands for all characters that the model does not
know, so each of them that the other model knows gets an equal part of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from textgen.inference import log_softmax
from textgen.inference.numerics import Float64
from textgen.tokenizers import UNKNOWN, CharacterTokenizer, Tokenizer


@dataclass(frozen=True, slots=True)
class Part:
    """One model's view of the shared tokens.

    Attributes:
        read: the model's token to feed for each shared token, shape (shared,).
        expected: the model's token whose probability each shared token has, same shape.
        shares: logarithm of the part of that probability, same shape; 0 for a token that the model knows.
    """

    read: npt.NDArray[np.intp]
    expected: npt.NDArray[np.intp]
    shares: Float64

    def log_probabilities(self, logits: Float64) -> Float64:
        """Return the natural-log probabilities of the shared tokens, shape (..., shared)."""
        found: Float64 = log_softmax(logits)[..., self.expected] + self.shares
        return found


@dataclass(frozen=True, slots=True)
class Shared:
    """The shared tokens.

    Attributes:
        tokenizer: of both models' tokens.
        parts: the view of each model.
    """

    tokenizer: Tokenizer
    parts: tuple[Part, Part]


def shared_by(first: Tokenizer, second: Tokenizer) -> Shared | None:
    """Return the shared tokens of two models, or None if their tokens do not fit each other."""
    if first is second or (type(first) is type(second) and first.to_json() == second.to_json()):
        same = np.arange(first.size)
        part = Part(same, same, np.zeros(first.size))
        return Shared(first, (part, part))
    if not (isinstance(first, CharacterTokenizer) and isinstance(second, CharacterTokenizer)):
        return None
    # Sorted, so that it makes no difference which of the two is the first.
    symbols = "".join(sorted({*first.symbols, *second.symbols}))
    tokenizer = CharacterTokenizer(symbols, lowercase=first.lowercase and second.lowercase)
    return Shared(tokenizer, (_part(first, symbols), _part(second, symbols)))


def _part(tokenizer: CharacterTokenizer, symbols: str) -> Part:
    known = {symbol: token for token, symbol in enumerate(tokenizer.symbols, start=1)}
    expected = np.array([UNKNOWN, *(known.get(symbol, UNKNOWN) for symbol in symbols)], np.intp)
    unknown = expected == UNKNOWN
    shares = np.where(unknown, -math.log(int(unknown.sum())), 0.0)
    # A model of lower-case text reads a capital of the other model as its small letter.
    read = expected.copy()
    for place in np.flatnonzero(unknown)[1:].tolist():
        tokens = tokenizer.encode(symbols[place - 1])
        read[place] = tokens[0] if len(tokens) == 1 else UNKNOWN
    return Part(read, expected, shares)
