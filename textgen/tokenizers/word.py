r"""A token for each word and punctuation mark, as in the Penn Treebank. Decoding restores every space.

The tokenizer learns from the training text, in any language, which tokens have no space before them (",")
and which have none after them ("("). Where a text differs from that, it has extra tokens: "" removes a
space, and blanks have tokens of their own. So ordinary prose needs few tokens more than it has words, a word
has the same token with and without a space before it, and a text of known words is restored exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from textgen.levels import WORD
from textgen.tokenizers import spacing, treebank, word_folding
from textgen.tokenizers.base import REPLACEMENT, UNKNOWN, Tokenizer, Tokens, token_array
from textgen.tokenizers.stream import StreamDecoder
from textgen.tokenizers.word_vocabulary import (
    DEFAULT_WORDS,
    JOIN,
    MAXIMUM_WORDS,
    NEWLINE,
    SPACE,
    Splitting,
    check_json,
    most_frequent,
    split,
)

_MOST_CACHED = 100_000
# The arguments and attributes of `WordTokenizer`, which its JSON data has under the same names.
_STORED = ("words", "joins_left", "joins_right", "lowercase", "splitting", "pristine_output")


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The tokens of the text between two blanks, and whether there is no space before and after them."""

    tokens: list[int]
    joins_left: bool
    joins_right: bool


class WordTokenizer(Tokenizer):
    """Maps each word to a number, the most frequent first.

    Args:
        words: the known words; the first becomes token 1, because 0 is `UNKNOWN`.
        joins_left: tokens that have no space before them.
        joins_right: tokens that have no space after them.
        lowercase: whether text is lower-cased before it is split.
        splitting: "treebank", or "space" for ``text.split()``.
        pristine_output: whether every token is written as it is, with a space between two tokens.
    """

    level = WORD.name

    def __init__(
        self,
        words: Sequence[str],
        *,
        joins_left: Iterable[int] = (),
        joins_right: Iterable[int] = (),
        lowercase: bool,
        splitting: Splitting = "treebank",
        pristine_output: bool = False,
    ) -> None:
        """Build the look-up tables."""
        self.words = list(words)
        self.joins_left = sorted(joins_left)
        self.joins_right = sorted(joins_right)
        self.lowercase = lowercase
        self.splitting = splitting
        self.pristine_output = pristine_output
        self._keeps_spaces = splitting == "treebank" and not pristine_output
        self._token_of = {word: token for token, word in enumerate(self.words, 1)}
        blanks = {token for word, token in self._token_of.items() if not word.strip()}
        self._left = blanks.union(self.joins_left)
        self._right = blanks.union(self.joins_right)
        self._shown = [REPLACEMENT, *self.words]
        if not pristine_output:
            self._shown = [treebank.surface(word) for word in self._shown]
        self._cache: dict[str, _Stretch] = {}
        self._written = frozenset("".join(self._shown[1:])) | ({" "} if splitting == "space" else {" ", "\n"})
        # A pattern of what separates two stretches.
        self._blanks_pattern = r"\s+" if splitting == "space" else r"[ \n]"

    @classmethod
    def train(
        cls,
        text: str | Iterable[str],
        *,
        lowercase: bool,
        splitting: Splitting = "treebank",
        pristine_output: bool = False,
        vocabulary_size: int | None = None,
    ) -> WordTokenizer:
        """Build the vocabulary of a training text.

        Args:
            text: clean text, whole or in pieces that end in line breaks.
            lowercase: whether the model sees lower-case text only.
            splitting: "treebank" or "space".
            pristine_output: whether every token is written as it is.
            vocabulary_size: highest number of tokens, up to `MAXIMUM_WORDS`; None for `DEFAULT_WORDS`. The
                rarest words become `UNKNOWN`.
        """
        special: tuple[str, ...] = ()
        if splitting == "treebank":
            special = (NEWLINE,) if pristine_output else (JOIN, SPACE, NEWLINE)
        words, stretches = most_frequent(
            text,
            lowercase=lowercase,
            splitting=splitting,
            special=special,
            size=min(vocabulary_size or DEFAULT_WORDS, MAXIMUM_WORDS) - 1,
        )
        usual = treebank.JOINED_LEFT, treebank.JOINED_RIGHT
        left, right = spacing.learn(stretches) if JOIN in special else usual
        return cls(
            words,
            joins_left=(token for token, word in enumerate(words, 1) if word in left),
            joins_right=(token for token, word in enumerate(words, 1) if word in right),
            lowercase=lowercase,
            splitting=splitting,
            pristine_output=pristine_output,
        )

    @property
    def size(self) -> int:
        """Number of tokens, `UNKNOWN` included."""
        return len(self.words) + 1

    def seed_text(self, text: str) -> str:
        """Return the normalized text without blanks at its end: the next word brings its own."""
        return self.normalize(text).rstrip(None if self.splitting == "space" else " ")

    def writes(self, symbol: str) -> bool:
        """Whether a known word, or the space between two words, contains a character."""
        return symbol in self._written

    def fold(self, text: str) -> tuple[str, dict[str, str]]:
        """Return a typed text, normalized, in the form that has the fewest unknown words."""
        return word_folding.fold(
            self.normalize(text), self._blanks_pattern, self._split, self._token_of.__contains__
        )

    def without_unseen(self, text: str) -> str:
        """Return a normalized text without the words that `unseen` names."""
        return word_folding.without_unseen(
            text, self._blanks_pattern, self._split, self._token_of.__contains__
        )

    def _split(self, stretch: str) -> list[str]:
        return split(stretch, self.splitting)

    def encode(self, text: str) -> Tokens:
        """Return the tokens of a text, shape (tokens,)."""
        text = self.normalize(text)
        tokens: list[int] = []
        if self.splitting == "space":
            get = self._token_of.get
            tokens = [get(word, UNKNOWN) for word in text.split()]
        else:
            newline = self._token_of.get(NEWLINE, UNKNOWN)
            for number, line in enumerate(text.split("\n")):
                if number:
                    tokens.append(newline)
                self._encode_line(line, tokens)
        return token_array(tokens, self.size)

    def _encode_line(self, line: str, tokens: list[int]) -> None:
        joined = True  # a line's first word has no space before it
        blanks = 0
        for position, stretch in enumerate(line.split(" ")):
            blanks += position > 0
            if not stretch:
                continue
            found = self._cache.get(stretch) or self._stretch(stretch)
            if self._keeps_spaces and (blanks != 1 or joined or found.joins_left):
                tokens += self._blanks(blanks)
            tokens += found.tokens
            joined, blanks = found.joins_right, 0
        if blanks and self._keeps_spaces:
            tokens += self._blanks(blanks)

    def _stretch(self, text: str) -> _Stretch:
        names = treebank.split(text)
        found = [self._token_of.get(name, UNKNOWN) for name in names]
        tokens = found[:1]
        for before, token in pairwise(found):
            if self._keeps_spaces and before not in self._right and token not in self._left:
                tokens.append(self._token_of.get(JOIN, UNKNOWN))
            tokens.append(token)
        if len(self._cache) >= _MOST_CACHED:
            self._cache.clear()
        made = _Stretch(tokens, found[0] in self._left, found[-1] in self._right)
        self._cache[text] = made
        return made

    def _blanks(self, count: int) -> list[int]:
        run = self._token_of.get(SPACE * count) if count else None
        return [run] if run is not None else [self._token_of.get(SPACE, UNKNOWN)] * count

    def unseen(self, text: str) -> list[str]:
        """Return the distinct words of a text that the vocabulary lacks."""
        stretches = filter(None, re.split(self._blanks_pattern, self.normalize(text)))
        words = dict.fromkeys(name for stretch in stretches for name in self._split(stretch))
        return [treebank.surface(word) for word in words if word not in self._token_of]

    def decoder(self, after: Sequence[int] | Tokens = ()) -> StreamDecoder:
        """Return a decoder of single tokens; the last token of ``after`` decides about the first space."""
        before: int | None = int(after[-1]) if len(after) else None

        def text_of(token: int) -> str:
            nonlocal before
            apart = before is not None and self._apart(before, token)
            before = token
            return " " + self._shown[token] if apart else self._shown[token]

        return StreamDecoder(text_of, counts_tokens=True)

    def _apart(self, before: int, token: int) -> bool:
        if self.pristine_output:
            return NEWLINE not in (self._shown[before], self._shown[token])
        return before not in self._right and token not in self._left

    def name_of(self, token: int) -> str:
        """Return the token's name in the Treebank, where opening and closing quotation marks differ."""
        return self.words[token - 1] if token else REPLACEMENT

    def to_json(self) -> dict[str, Any]:
        """Return the tokenizer as JSON data."""
        return {"level": self.level, **{name: getattr(self, name) for name in _STORED}}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> WordTokenizer:
        """Return the tokenizer that `to_json` described.

        Raises:
            BundleError: the data has another shape.
        """
        check_json(data)
        return cls(**{name: data[name] for name in _STORED})
