"""The family of tokenizers, one small file each, behind one protocol."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textgen.errors import BundleError, SettingsError
from textgen.tokenizers.base import UNKNOWN, Tokenizer, Tokens
from textgen.tokenizers.byte import ByteTokenizer
from textgen.tokenizers.character import CharacterTokenizer
from textgen.tokenizers.subword import SubwordTokenizer
from textgen.tokenizers.word import WordTokenizer

__all__ = [
    "UNKNOWN",
    "ByteTokenizer",
    "CharacterTokenizer",
    "SubwordTokenizer",
    "Tokenizer",
    "Tokens",
    "WordTokenizer",
    "from_json",
    "train",
]

_CLASSES: dict[str, type[Tokenizer]] = {
    kind.level: kind for kind in (CharacterTokenizer, WordTokenizer, SubwordTokenizer, ByteTokenizer)
}


def train(
    level: str,
    text: str | Iterable[str],
    *,
    pristine_input: bool = False,
    pristine_output: bool = False,
    vocabulary_size: int | None = None,
) -> Tokenizer:
    """Build a tokenizer on a training text, which is read once.

    Args:
        level: what a token is, one of `textgen.levels.LEVELS`.
        text: clean text, whole or in pieces that end in line breaks.
        pristine_input: keep upper case (at subword level it always is), and at word level split at
            white space alone.
        pristine_output: at word level, show the tokens with a space between any two.
        vocabulary_size: at most so many tokens, or None for what suits the level.

    Raises:
        SettingsError: the level is not known, or the vocabulary too small for it.
    """
    lowercase = not pristine_input
    match level:
        case CharacterTokenizer.level:
            return CharacterTokenizer.train(text, lowercase=lowercase, vocabulary_size=vocabulary_size)
        case WordTokenizer.level:
            return WordTokenizer.train(
                text,
                lowercase=lowercase,
                splitting="space" if pristine_input else "treebank",
                pristine_output=pristine_output,
                vocabulary_size=vocabulary_size,
            )
        case SubwordTokenizer.level:
            return SubwordTokenizer.train(text, vocabulary_size=vocabulary_size)
        case ByteTokenizer.level:
            return ByteTokenizer.train(text, vocabulary_size=vocabulary_size)
    raise SettingsError(f"level is {level!r}; it can be {', '.join(_CLASSES)}")


def from_json(data: Any) -> Tokenizer:
    """Return the tokenizer that a bundle's ``tokenizer.json`` describes.

    Raises:
        BundleError: the data describes none of the known tokenizers.
    """
    level = data.get("level") if isinstance(data, dict) else None
    if isinstance(level, str) and level in _CLASSES:
        return _CLASSES[level].from_json(data)
    raise BundleError(f"tokenizer.json names the level {level!r}; this version knows {', '.join(_CLASSES)}")
