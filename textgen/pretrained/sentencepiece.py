"""Tokens of SentencePiece's byte-pair encoding, as Llama 1 and 2 and TinyLlama publish them.

A token is a text in which "▁" stands for a space; "<0x0A>" is the byte of that number, for characters that no
token holds. Merges do not cross from a word into the space behind it. The publisher puts a space before every
text; here a text begins as it is, so that it comes back as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from textgen.errors import BundleError
from textgen.tokenizers.byte_pieces import utf8

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Package

SPLIT = "llama2"
SPACE = "▁"

_MOST_LETTERS = 2_000_000  # Llama 2 has 200,000

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_CROSSING = re.compile(rf"[^{SPACE}]{SPACE}")


def bytes_of(token: str) -> bytes:
    """Return the bytes that a token stands for.

    Raises:
        BundleError: it has a lone surrogate.
    """
    if byte := _BYTE.fullmatch(token):
        return bytes([int(byte[1], 16)])
    try:
        return token.replace(SPACE, " ").encode()
    except UnicodeEncodeError:
        raise BundleError(f"the tokenizer has the token {token!r}, which is no text") from None


def check(tokens: Iterable[str]) -> None:
    """Refuse a vocabulary whose texts cannot be split before spaces.

    Raises:
        BundleError: a token holds a space behind a letter.
    """
    for token in tokens:
        if _CROSSING.search(token):
            raise BundleError(
                f"the tokenizer has the token {token!r}, which goes on behind a space: such are not read"
            )


def lacking(known: Mapping[str, int]) -> frozenset[int]:
    """Return the bytes that have no token of their own."""
    return frozenset(byte for byte in range(256) if f"<0x{byte:02X}>" not in known)


def writes(symbol: str, known: Mapping[str, int], without: frozenset[int]) -> bool:
    """Return whether the tokens hold a character, as it is or as its bytes.

    Args:
        symbol: the character.
        known: the tokens that stand for a text.
        without: the result of `lacking`.
    """
    return symbol.replace(" ", SPACE) in known or without.isdisjoint(utf8(symbol))


def package(known: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> Package:
    """Return the encoder, by the package ``tokenizers``."""
    from tokenizers import Regex
    from tokenizers import Tokenizer as Package
    from tokenizers.models import BPE
    from tokenizers.normalizers import Replace
    from tokenizers.pre_tokenizers import Split

    made = Package(BPE(vocab=dict(known), merges=list(merges), byte_fallback=True))
    made.normalizer = Replace(" ", SPACE)
    # No merge crosses these places, and short pieces are merged far sooner than a whole text.
    made.pre_tokenizer = Split(Regex(f"{SPACE}*[^{SPACE}]+|{SPACE}+"), "isolated")
    return made


def merges_of(tokens: Mapping[str, int], scores: Sequence[float]) -> list[tuple[str, str]]:
    """Return the merges that a file with scores alone means: every pair that makes a token, the best first.

    Args:
        tokens: the texts of all tokens with their numbers, special ones and single bytes left out.
        scores: of all tokens; a higher one is merged first.

    Raises:
        BundleError: the tokens are too many or too long to take them apart in a moment.
    """
    if sum(map(len, tokens)) > _MOST_LETTERS:
        raise BundleError(f"the tokenizer's tokens have more than {_MOST_LETTERS:,} letters in all")
    found = [
        (scores[number], tokens[token[:cut]], tokens[token[cut:]], token[:cut], token[cut:])
        for token, number in tokens.items()
        for cut in range(1, len(token))
        if token[:cut] in tokens and token[cut:] in tokens
    ]
    found.sort(key=lambda merge: (-merge[0], merge[1], merge[2]))
    return [(left, right) for *_, left, right in found]
