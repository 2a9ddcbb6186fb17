"""The end of a prompt whose tokens are still open (token healing, as the guidance library calls it).

A tokenizer that joins letters gives "The bot " a token for the last space, and "progra" tokens that never
stand before "m": texts that the network has hardly seen. So the last word of a prompt is taken back, and the
first tokens that are drawn must spell it. They may go on after it: " is" spells the space and writes "is".
"""

from __future__ import annotations

import numpy as np

from textgen.inference.numerics import Float64
from textgen.tokenizers import UNKNOWN, Tokenizer, Tokens
from textgen.tokenizers.byte_pieces import BytePieces

_NEW_LINE = "\n"
"""What is read before a text that begins with nothing."""


class PromptEnd:
    """Rules out all tokens that do not spell the rest of a prompt.

    Args:
        rest: the bytes of the prompt that have no tokens yet.
        tokenizer: the model's.
    """

    def __init__(self, rest: bytes, tokenizer: BytePieces) -> None:
        """Begin before the rest."""
        self._rest, self._tokenizer = rest, tokenizer

    def apply(self, logits: Float64) -> None:
        """Change the logits of the next token in place, shape (vocabulary,)."""
        if self._rest:
            allowed = self._tokenizer.spelling(self._rest)
            kept = logits[allowed]
            logits.fill(-np.inf)
            logits[allowed] = kept

    def remember(self, token: int) -> None:
        """Take a drawn token into account."""
        if self._rest:
            self._rest = self._rest[len(self._tokenizer.bytes_of(token)) :]


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
