"""Tokens to text while they are being written, without ever showing half a character.

A token may end inside a UTF-8 sequence (subword level) or inside what a reader sees as one
character: a letter and its accent, a flag, a family of emoji. What may still grow is held back.
"""

from __future__ import annotations

from collections.abc import Callable

import regex

from textgen.unicode.graphemes import grapheme_ends

_CLUSTER = regex.compile(r"\X")

# Below the first combining mark every character is its own cluster, but for CR before LF.
_PLAIN_BELOW = "\u0300"

# A cluster has no longest length, but nobody waits for an accent this far away.
_LONGEST_HELD = 256


class StreamDecoder:
    """Reads tokens one by one.

    Args:
        text_of: returns the text that a token adds to those before it.
        rest: returns what it still holds at the end.
        counts_tokens: whether `length` counts tokens instead of characters.
    """

    def __init__(
        self, text_of: Callable[[int], str], rest: Callable[[], str] = str, *, counts_tokens: bool = False
    ) -> None:
        """Begin a text."""
        self._text_of = text_of
        self._rest = rest
        self._counts_tokens = counts_tokens
        self._held = ""
        self.length = 0
        """How much has been read, in the tokenizer's unit; a character counts once it is complete."""

    def feed(self, token: int) -> str:
        """Read a token and return the text that is now certain, which may be ""."""
        text = self._text_of(token)
        self.length += 1 if self._counts_tokens else len(text)
        held = self._held
        if len(held) == len(text) == 1 and held < _PLAIN_BELOW and " " <= text < _PLAIN_BELOW:
            # Most of what is written: two characters of which neither belongs to the other.
            self._held = text
            return held
        self._held += text
        start = 0
        for cluster in _CLUSTER.finditer(self._held):
            start = cluster.start()
        if self._held.endswith("\n") or len(self._held) - start > _LONGEST_HELD:
            start = len(self._held)
        certain, self._held = self._held[:start], self._held[start:]
        return certain

    @property
    def held(self) -> str:
        """What is held back: it may still grow."""
        return self._held

    def go_on(self, held: str, length: int) -> None:
        """Begin where another one stood, at the end of a line, that reads the same text."""
        self._held, self.length = held, length

    def finish(self) -> str:
        """Return what was held back."""
        text = self._held + self._rest()
        self._held = ""
        return text


def whole_prefix(text: str, length: int) -> str:
    """Return the longest beginning of at most ``length`` characters that cuts no visible character."""
    end = 0
    for after in grapheme_ends(text):
        if after > length:
            break
        end = after
    return text[:end]
