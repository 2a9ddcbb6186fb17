"""Decoding tokens one by one, without ever returning half a character.

A token can end inside a UTF-8 sequence (subword level), or inside a user-perceived character: a letter and
its accent, a flag, a family of emoji. Text that may still grow is held back.
"""

from __future__ import annotations

from collections.abc import Callable

import regex

from textgen.unicode.graphemes import grapheme_ends

_CLUSTER = regex.compile(r"\X")

# Below the first combining mark every character is a cluster of its own, except CR before LF.
_PLAIN_BELOW = "\u0300"

# A cluster can have any length; beyond this one it is not held back.
_LONGEST_HELD = 256


class StreamDecoder:
    """Decodes tokens one by one.

    Args:
        text_of: returns the text that a token adds to the text before it.
        rest: returns the text that is left at the end.
        in_character: returns whether the tokens so far end inside a character.
        counts_tokens: whether `length` counts tokens instead of characters.
    """

    def __init__(
        self,
        text_of: Callable[[int], str],
        rest: Callable[[], str] = str,
        in_character: Callable[[], bool] = bool,
        *,
        counts_tokens: bool = False,
    ) -> None:
        """Start a text."""
        self._in_character = in_character
        self._text_of = text_of
        self._rest = rest
        self._counts_tokens = counts_tokens
        self.held = ""
        """The text that is held back because it may still grow."""
        self.latest = ""
        """The text that the latest token added, whether it is complete or not."""
        self.length = 0
        """Length of the decoded text in the tokenizer's unit. Incomplete characters do not count."""

    def feed(self, token: int) -> str:
        """Decode a token, and return the text that cannot change any more, which may be ""."""
        text = self.latest = self._text_of(token)
        self.length += 1 if self._counts_tokens else len(text)
        held = self.held
        if len(held) == len(text) == 1 and held < _PLAIN_BELOW and " " <= text < _PLAIN_BELOW:
            # The usual case: two characters that do not combine.
            self.held = text
            return held
        self.held += text
        start = 0
        for cluster in _CLUSTER.finditer(self.held):
            start = cluster.start()
        if self.held.endswith("\n") or len(self.held) - start > _LONGEST_HELD:
            start = len(self.held)
        certain, self.held = self.held[:start], self.held[start:]
        return certain

    @property
    def in_character(self) -> bool:
        """Whether the tokens so far end inside a character."""
        return self._in_character()

    def go_on(self, held: str, length: int) -> None:
        """Continue at the state of another decoder of the same text, which was not inside a character."""
        self.held, self.length = held, length

    def finish(self) -> str:
        """Return the text that was held back."""
        text = self.held + self._rest()
        self.held = ""
        return text


def whole_prefix(text: str, length: int) -> str:
    """Return the longest prefix of at most ``length`` characters that ends between two graphemes."""
    end = 0
    for after in grapheme_ends(text):
        if after > length:
            break
        end = after
    return text[:end]
