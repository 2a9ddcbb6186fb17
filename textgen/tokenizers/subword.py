"""Byte-level byte-pair encoding: frequent pieces of words are tokens, and every text can be encoded.

The first 256 tokens after `UNKNOWN` are the bytes of UTF-8. Each merge makes a new token of two (Sennrich,
Haddow and Birch 2016; on bytes: Radford et al. 2019). The package ``tokenizers`` learns the merges from a
training text. The encoding is our own code, because training and sampling must give the same tokens; a test
compares it with the package's results.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import regex

from textgen.errors import BundleError
from textgen.host import extras
from textgen.levels import SUBWORD
from textgen.tokenizers.base import Tokens, pieces, token_array
from textgen.tokenizers.byte_pieces import SINGLE_BYTES, BytePieces, bytes_of_letters, check_size, utf8

MAXIMUM_TOKENS = 1 << 16
LONGEST_TOKEN = 64
"""Bytes of the longest token. It keeps a row of dashes from becoming one token."""

_FIRST_MERGED = len(SINGLE_BYTES)
_SMALLEST_VOCABULARY, _LARGEST_DEFAULT = 512, 8192
# Found with 250,000 and 700,000 characters of Shakespeare. Larger vocabularies learn more slowly.
_CHARACTERS_FOR_A_TOKEN = 700
_LEARNT_FROM = 32 << 20
_MOST_CACHED = 100_000

# Merges stay within these pieces. A line break is a piece of its own, so a text can be encoded line by line.
# The lengths are limited, because the time for a piece grows with the square of its length.
_PATTERN = (
    r"\n|'(?:[sdmt]|ll|ve|re)| ?[\p{L}\p{M}]{1,48}| ?\p{N}{1,3}| ?[^\s\p{L}\p{M}\p{N}]{1,48}"
    r"|[^\S\n]{1,48}(?!\S)|[^\S\n]{1,48}"
)
_PIECES = regex.compile(_PATTERN)
_MERGE = re.compile(r"([0-9]{1,5}) ([0-9]{1,5})")


class SubwordTokenizer(BytePieces):
    """Maps pieces of words to numbers. Upper case is kept.

    Args:
        merges: pairs of tokens that are merged. Each makes the next token, from 257 on.
    """

    level = SUBWORD.name

    def __init__(self, merges: Iterable[tuple[int, int]]) -> None:
        """Build the look-up tables."""
        super().__init__(SINGLE_BYTES)
        self.merges = list(merges)
        for left, right in self.merges:
            self._bytes.append(self._bytes[left] + self._bytes[right])
        self._merged = {pair: token for token, pair in enumerate(self.merges, _FIRST_MERGED)}
        self._cache: dict[str, list[int]] = {}

    @classmethod
    def train(cls, text: str | Iterable[str], *, vocabulary_size: int | None = None) -> SubwordTokenizer:
        """Learn the merges from a training text; from a very long one, from its first 32 million characters.

        Args:
            text: clean text, whole or in pieces that end in line breaks.
            vocabulary_size: highest number of tokens, at least 257; None for one per 700 characters, from
                512 to 8,192.

        Raises:
            SettingsError: the vocabulary cannot hold the bytes, or the text has a lone surrogate.
        """
        check_size(cls.level, vocabulary_size)
        read = 0

        def beginning() -> Iterator[str]:
            nonlocal read
            for piece in pieces(text):
                utf8(piece)
                read += len(piece)
                yield piece
                if read >= _LEARNT_FROM:
                    return

        # The default depends on the length of the text, which is known only now.
        found = _learn(beginning(), min(vocabulary_size or _LARGEST_DEFAULT, MAXIMUM_TOKENS))
        default = min(max(read // _CHARACTERS_FOR_A_TOKEN, _SMALLEST_VOCABULARY), _LARGEST_DEFAULT)
        return cls(found[: (vocabulary_size or default) - _FIRST_MERGED])

    def encode(self, text: str) -> Tokens:
        """Return the tokens of a text, shape (tokens,).

        Raises:
            SettingsError: the text has a lone surrogate.
        """
        utf8(text)  # an error must name the offset in the whole text
        return self._tokens_of(_PIECES.findall(text))

    def _tokens_of(self, pieces: Iterable[str]) -> Tokens:
        tokens: list[int] = []
        for piece in pieces:
            tokens += self._cache.get(piece) or self._encode_piece(piece)
        return token_array(tokens, self.size)

    def open_end(self, text: str) -> tuple[Tokens, bytes]:
        """Return the tokens of a prompt without its last piece, and the bytes of that piece."""
        utf8(text)
        *pieces, last = _PIECES.findall(text) or [""]
        return self._tokens_of(pieces), utf8(last)

    def _encode_piece(self, piece: str) -> list[int]:
        tokens = [byte + 1 for byte in utf8(piece)]
        # The pair that was learned first is merged first.
        while token := min(filter(None, map(self._merged.get, itertools.pairwise(tokens))), default=None):
            left, right = self.merges[token - _FIRST_MERGED]
            position = 0
            while position < len(tokens) - 1:
                if tokens[position] == left and tokens[position + 1] == right:
                    tokens[position : position + 2] = [token]
                position += 1
        if len(self._cache) >= _MOST_CACHED:
            self._cache.clear()
        self._cache[piece] = tokens
        return tokens

    def to_json(self) -> dict[str, Any]:
        """Return the tokenizer as JSON data; "l r" stands for the merge of tokens l and r."""
        return {"level": self.level, "merges": [f"{left} {right}" for left, right in self.merges]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SubwordTokenizer:
        """Return the tokenizer that `to_json` described.

        Raises:
            BundleError: the data has another shape.
        """
        merges = data.get("merges")
        if not isinstance(merges, list) or len(merges) > MAXIMUM_TOKENS - _FIRST_MERGED:
            raise BundleError(
                f"tokenizer.json needs `merges`, a list of at most {MAXIMUM_TOKENS - _FIRST_MERGED:,}"
            )
        pairs: list[tuple[int, int]] = []
        lengths = list(map(len, SINGLE_BYTES))
        for merge in merges:
            match = _MERGE.fullmatch(merge) if isinstance(merge, str) else None
            left, right = (int(match[1]), int(match[2])) if match else (0, 0)
            # Lengths are checked before bytes are joined, because each merge can double them.
            if (
                not (0 < left < len(lengths) and 0 < right < len(lengths))
                or (length := lengths[left] + lengths[right]) > LONGEST_TOKEN
            ):
                raise BundleError(
                    f"tokenizer.json has the merge {str(merge)[:40]!r}; it needs two earlier tokens of "
                    f"together at most {LONGEST_TOKEN} bytes"
                )
            pairs.append((left, right))
            lengths.append(length)
        if len(set(pairs)) != len(pairs):
            raise BundleError("tokenizer.json has a merge twice")
        return cls(pairs)


def _learn(text: Iterator[str], size: int) -> list[tuple[int, int]]:
    """Return the merges that the package ``tokenizers`` learns, in its order."""
    # Imported here, because samplers never need it.
    extras.require("tokenizers", "training at subword level")
    from tokenizers import Regex
    from tokenizers import Tokenizer as Package
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel, Split
    from tokenizers.pre_tokenizers import Sequence as Steps
    from tokenizers.trainers import BpeTrainer

    package = Package(BPE())
    package.pre_tokenizer = Steps(
        [Split(Regex(_PATTERN), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    package.train_from_iterator(
        text,
        BpeTrainer(
            vocab_size=size - 1,
            min_frequency=2,
            initial_alphabet=ByteLevel.alphabet(),
            max_token_length=LONGEST_TOKEN,
            show_progress=False,
        ),
    )
    byte_of = bytes_of_letters()
    known = {text: token for token, text in enumerate(SINGLE_BYTES) if text}
    merges: list[tuple[int, int]] = []
    for pair in json.loads(package.to_str())["model"]["merges"]:
        left, right = (bytes(byte_of[letter] for letter in part) for part in pair)
        # Two merges can make the same bytes. The first is enough.
        if left + right not in known:
            known[left + right] = _FIRST_MERGED + len(merges)
            merges.append((known[left], known[right]))
    return merges
