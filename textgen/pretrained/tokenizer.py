"""The tokenizer of a base: byte-pair encoding as published, by the package ``tokenizers``.

Tokens are sequences of bytes, written as letters of GPT-2's alphabet or as SentencePiece writes them
(`textgen.pretrained.sentencepiece`).

The special tokens of a base, such as ``<|im_start|>``, have no text here. So nobody can type one, and none is
ever sampled. Token 0 is always special (reading a base exchanges two tokens where it was not): it is this
library's `UNKNOWN`.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from textgen.argument_checks import shown
from textgen.errors import BundleError
from textgen.host import extras
from textgen.levels import SUBWORD
from textgen.pretrained import sentencepiece
from textgen.tokenizers.base import UNKNOWN, Tokens, token_array
from textgen.tokenizers.byte_pieces import BytePieces, bytes_of_letters, utf8

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Package

MAXIMUM_TOKENS = 1_000_000
LONGEST_TOKEN = 512
"""Letters of the longest token."""

_LONGEST_OPEN = 8

_APART = "\ud7ff"  # no letter of any vocabulary

_GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPLITS = {
    # name: (whether digits stand alone, the expression whose matches are split off)
    "gpt2": (False, _GPT2),
    "smollm": (True, _GPT2),
    "llama3": (False, _LLAMA3),
    "qwen2": (False, _LLAMA3.replace("{1,3}", "")),
}
"""The known ways to split a text into pieces; merges stay within a piece."""

KINDS = (*SPLITS, sentencepiece.SPLIT)


class BaseTokenizer(BytePieces):
    """The tokens of a pretrained base.

    Args:
        vocabulary: each token's bytes as letters of GPT-2's alphabet, or its text as SentencePiece writes it;
            special tokens by their names.
        merges: pairs of tokens that are merged, the first merge first.
        split: how a text is split into pieces, one of `KINDS`.
        special: the tokens that stand for no text; 0 is one of them.
        start: the special token that begins every text, or None.
        whole_first: whether a piece that is a token is taken as it is, without merges.

    Raises:
        BundleError: the values do not fit together.
    """

    level = SUBWORD.name

    def __init__(
        self,
        vocabulary: Sequence[str],
        merges: Sequence[tuple[str, str]],
        split: str,
        special: Iterable[int],
        start: int | None = None,
        *,
        whole_first: bool = False,
    ) -> None:
        """Check the values and build the table of bytes."""
        self.vocabulary, self.merges, self.split = list(vocabulary), list(merges), split
        self.special, self.start, self.whole_first = frozenset(special), start, whole_first
        _check(self)
        self._known = {
            letters: token for token, letters in enumerate(self.vocabulary) if token not in self.special
        }
        # Sets are compared first: a base has 50,000 merges, and samplers start with this.
        if not self._known.keys() >= {*itertools.chain(*self.merges), *map("".join, self.merges)}:
            _refuse_merge(self.merges, self._known)
        self._in_words = split == sentencepiece.SPLIT
        if self._in_words:
            sentencepiece.check(self._known)
            super().__init__(
                b"" if token in self.special else sentencepiece.bytes_of(text)
                for token, text in enumerate(self.vocabulary)
            )
            self._lacking = sentencepiece.lacking(self._known)
        else:
            super().__init__(_bytes_of(self.vocabulary, self.special))
            letters = bytes_of_letters().items()
            self._lacking = frozenset(byte for letter, byte in letters if letter not in self._known)

    def encode(self, text: str) -> Tokens:
        """Return the tokens of a text, shape (tokens,). Special tokens are never among them.

        Raises:
            SettingsError: the text has a lone surrogate.
        """
        utf8(text)
        return token_array(self._package.encode(text, add_special_tokens=False).ids, self.size)

    def open_end(self, text: str) -> tuple[Tokens, bytes]:
        """Return the tokens of a prompt without its last piece, and the bytes of that piece.

        Of a long piece, only the last `_LONGEST_OPEN` tokens are open.
        """
        utf8(text)
        encoded = self._package.encode(text, add_special_tokens=False)
        tokens, pieces = encoded.ids, encoded.word_ids
        end = len(tokens)
        while end and pieces[end - 1] == pieces[-1] and len(tokens) - end < _LONGEST_OPEN:
            end -= 1
        # The rest must not begin inside a character, which can have tokens of single bytes.
        while end and self._bytes[tokens[end]][0] & 0xC0 == 0x80:
            end -= 1
        rest = b"".join(map(self._bytes.__getitem__, tokens[end:]))
        return token_array(tokens[:end], self.size), rest

    def unseen(self, text: str) -> list[str]:
        """Return the distinct characters that the base's tokens cannot hold: they lack a byte of them."""
        if not self._lacking:
            return []
        return [symbol for symbol in dict.fromkeys(text) if not self.writes(symbol)]

    def writes(self, symbol: str) -> bool:
        """Return whether the tokens have all bytes of a character."""
        if self._in_words:
            return sentencepiece.writes(symbol, self._known, self._lacking)
        return self._lacking.isdisjoint(utf8(symbol))

    def unwritable(self, text: str) -> list[str]:
        """Return the distinct characters of a text that no decoded text can contain."""
        return self.unseen(text)

    def name_of(self, token: int) -> str:
        """Return the token's text; a special token's name."""
        return self.vocabulary[token] if token in self.special else super().name_of(token)

    @cached_property
    def _package(self) -> Package:
        # Imported here: it takes 0.1 s, and whoever lists bases does not encode.
        extras.require("tokenizers", "a pretrained base")
        if self._in_words:
            return sentencepiece.package(self._known, self.merges)
        from tokenizers import Regex
        from tokenizers import Tokenizer as Package
        from tokenizers.models import BPE
        from tokenizers.pre_tokenizers import ByteLevel, Digits, PreTokenizer, Split
        from tokenizers.pre_tokenizers import Sequence as Steps

        digits_alone, pattern = SPLITS[self.split]
        package = Package(BPE(vocab=self._known, merges=self.merges, ignore_merges=self.whole_first))
        steps: list[PreTokenizer] = [Digits(individual_digits=True)] if digits_alone else []
        steps += [Split(Regex(pattern), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
        package.pre_tokenizer = Steps(steps)
        return package

    def to_json(self) -> dict[str, Any]:
        """Return the tokenizer as JSON data; "l r" stands for the merge of l and r."""
        return {
            "split": self.split,
            "special": sorted(self.special),
            "start": self.start,
            "whole_first": self.whole_first,
            "vocabulary": self.vocabulary,
            "merges": [f"{left} {right}" for left, right in self.merges],
        }

    @classmethod
    def from_json(cls, data: Any) -> BaseTokenizer:
        """Return the tokenizer that `to_json` described.

        Raises:
            BundleError: the data has another shape.
        """
        try:
            parts = [merge.split(" ") for merge in data["merges"]]
            if not set(map(len, parts)) <= {2}:
                raise BundleError("the base's tokenizer.json has a merge that is not two tokens")
            return cls(
                data["vocabulary"],
                [(left, right) for left, right in parts],
                data["split"],
                data["special"],
                data["start"],
                whole_first=data["whole_first"],
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BundleError(f"the base's tokenizer.json is not one of ours: {shown(str(error))}") from None


def split_merge(merge: object) -> tuple[str, str]:
    """Return the two parts of a merge, which is written "l r" or ["l", "r"].

    Raises:
        BundleError: it is neither.
    """
    parts = merge.split(" ") if isinstance(merge, str) else merge
    if isinstance(parts, list) and len(parts) == 2 and all(isinstance(part, str) for part in parts):
        return parts[0], parts[1]
    raise BundleError(
        f"the tokenizer has the merge {shown(merge)}; it must be two tokens with a space between"
    )


def _refuse_merge(merges: Iterable[tuple[str, str]], known: Container[str]) -> None:
    for left, right in merges:
        if left not in known or right not in known or left + right not in known:
            raise BundleError(
                f"the tokenizer merges {shown(left)} and {shown(right)}; "
                "both of them and their sum must be tokens"
            )


def _bytes_of(vocabulary: Sequence[str], special: Container[int]) -> list[bytes]:
    """Return the bytes of each token; special ones have none."""
    other = chr(256)
    # What is no letter becomes one that Latin-1 lacks.
    table = dict.fromkeys(range(256), other) | {
        ord(letter): chr(byte) for letter, byte in bytes_of_letters().items()
    }
    # All at once, because one translation of a long text is ten times as fast as many of short ones.
    texts = [other if token in special else letters for token, letters in enumerate(vocabulary)]
    translated = _APART.join(texts).translate(table).split(_APART)
    try:
        found = [b"" if token in special else text.encode("latin-1") for token, text in enumerate(translated)]
    except UnicodeEncodeError as error:
        wrong = error.object
        raise BundleError(
            f"the tokenizer has the token {shown(wrong)}, which no letters of a byte-level vocabulary make"
        ) from None
    if len(found) != len(vocabulary):
        raise BundleError(f"the tokenizer has a token with {_APART!r}, which is no letter of any vocabulary")
    return found


def _check(given: BaseTokenizer) -> None:
    size = len(given.vocabulary)
    if not 2 <= size <= MAXIMUM_TOKENS or len(given.merges) > MAXIMUM_TOKENS:
        raise BundleError(
            f"the tokenizer has {size:,} tokens and {len(given.merges):,} merges; "
            f"there can be 2 to {MAXIMUM_TOKENS:,}"
        )
    if set(map(type, given.vocabulary)) != {str}:
        raise BundleError("the tokenizer has a token that is no text")
    shortest, longest = min(given.vocabulary, key=len), max(given.vocabulary, key=len)
    if not shortest or len(longest) > LONGEST_TOKEN:
        raise BundleError(
            f"the tokenizer has the token {shown(longest if shortest else shortest)}; "
            f"each must be 1 to {LONGEST_TOKEN} letters"
        )
    if len(set(given.vocabulary)) != size:
        raise BundleError("the tokenizer has a token twice")
    if given.split not in KINDS:
        raise BundleError(f"the tokenizer splits texts by {shown(given.split)}; known are {', '.join(KINDS)}")
    if not all(type(token) is int and 0 <= token < size for token in given.special):
        raise BundleError("the tokenizer has special tokens outside its vocabulary")
    if UNKNOWN not in given.special:
        raise BundleError("the tokenizer's token 0 is not special")
    if given.start is not None and given.start not in given.special:
        raise BundleError(f"the tokenizer's start is {shown(given.start)}, which is no special token")
    if not isinstance(given.whole_first, bool):
        raise BundleError(f"whole_first is {shown(given.whole_first)}; it must be true or false")
