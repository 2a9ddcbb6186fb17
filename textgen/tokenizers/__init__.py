"""The family of tokenizers, one small file each, behind one protocol."""

from __future__ import annotations

from typing import Any

from textgen.errors import BundleError
from textgen.tokenizers.base import UNKNOWN, Tokenizer, Tokens
from textgen.tokenizers.character import CharacterTokenizer

__all__ = ["UNKNOWN", "CharacterTokenizer", "Tokenizer", "Tokens", "from_json"]


def from_json(data: Any) -> Tokenizer:
    """Return the tokenizer that a bundle's ``tokenizer.json`` describes.

    Raises:
        BundleError: the data describes none of the known tokenizers.
    """
    level = data.get("level") if isinstance(data, dict) else None
    if level == CharacterTokenizer.level:
        return CharacterTokenizer.from_json(data)
    raise BundleError(f"tokenizer.json names the level {level!r}; this version knows 'char'")
