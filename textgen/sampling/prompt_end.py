"""The end of a prompt whose tokens are still open (token healing, as the guidance library calls it).

A tokenizer that joins letters gives "The bot " a token for the last space, and "progra" tokens that never
stand before "m": texts that the network has hardly seen. So the last word of a prompt is taken back, and the
first tokens that are drawn must spell it. They may go on after it: " is" spells the space and writes "is".
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from textgen.inference.numerics import Float64, log_sum
from textgen.tokenizers import UNKNOWN, Tokenizer, Tokens
from textgen.tokenizers.byte_pieces import BytePieces

_NEW_LINE = "\n"
"""What is read before a text that begins with nothing."""


class PromptEnd:
    """Rules out all tokens that do not spell the rest of a prompt.

    A token that spells a part of the rest is only as likely as it is that the text then goes on with what is
    left of it: to a base, a single space before a digit is likelier than " bot", but not a space before
    "bot". This is known one step after such a token is drawn. Then it is accepted with just that
    probability, or it is drawn again with that as its weight. So a token is drawn as if all weights had been
    known, and only those that are drawn take a step more.

    Args:
        rest: the bytes of the prompt that have no tokens yet.
        tokenizer: the model's.
        weighed: whether tokens that spell a part of the rest are weighed so.
    """

    def __init__(self, rest: bytes, tokenizer: BytePieces, *, weighed: bool = False) -> None:
        """Begin before the rest."""
        self._rest, self._tokenizer, self.weighed = rest, tokenizer, weighed
        # The weights, as logarithms, by what was left to spell and the token. Copies share them.
        self._weights: dict[tuple[bytes, int], float] = {}
        self._drawn: tuple[bytes, int] | None = None
        self._weight: float | None = None

    @property
    def open(self) -> bool:
        """Whether a token is to be drawn or weighed yet."""
        return bool(self._rest)

    def apply(self, logits: Float64) -> None:
        """Change the logits of the next token in place, shape (vocabulary,)."""
        if not self._rest:
            return
        allowed = self._tokenizer.spelling(self._rest)
        kept = logits[allowed]
        if self._drawn is not None and self._drawn not in self._weights:
            likeliest, highest = kept.max(), logits.max()
            sums = log_sum(kept, likeliest) - log_sum(logits, highest)
            self._weight = self._weights[self._drawn] = float(likeliest - highest + sums)
        logits.fill(-np.inf)
        logits[allowed] = kept
        for (rest, token), weight in self._weights.items():
            if rest == self._rest:
                logits[token] += weight

    def accepts(self, uniform: Callable[[], float], temperature: float) -> bool:
        """Return whether the token before the latest one is kept, if it was weighed just now.

        Args:
            uniform: returns a random number in [0, 1); called for a token that was weighed just now.
            temperature: of the text.
        """
        weight, self._weight = self._weight, None
        return weight is None or (temperature > 0 and uniform() < math.exp(weight / temperature))

    def remember(self, token: int) -> None:
        """Take a drawn token into account."""
        if self._rest:
            left = self._rest[len(self._tokenizer.bytes_of(token)) :]
            self._drawn = (self._rest, token) if left and self.weighed else None
            self._rest = left


def whole_prompt(text: str, tokenizer: Tokenizer) -> Tokens:
    """Return the tokens of a text, at least one: at word level, a text of white space may have none."""
    tokens = tokenizer.encode(text)
    return tokens if len(tokens) else np.array([UNKNOWN], np.uint16)


def open_prompt(text: str, tokenizer: Tokenizer) -> tuple[Tokens, bytes]:
    """Return the tokens to read before a seed is continued, and the end of it that the first tokens spell.

    Without a seed, or with one that is a single word, the model reads the beginning of a line.
    """
    tokens, rest = tokenizer.open_end(text)
    if rest and isinstance(tokenizer, BytePieces) and len(tokenizer.spelling(rest)) > 1:
        return tokens if len(tokens) else whole_prompt(_NEW_LINE, tokenizer), rest
    return whole_prompt(text or _NEW_LINE, tokenizer), b""
