"""A corpus as a training uses it: tokens, and what is known about the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textgen.corpus.known_lines import KnownLines
from textgen.tokenizers import Tokenizer, Tokens


@dataclass(frozen=True, slots=True)
class PreparedCorpus:
    """A corpus ready for training.

    Attributes:
        tokenizer: built on the training text only.
        training: the training text's tokens, shape (tokens,), possibly a memory map.
        validation: the validation text's tokens, shape (tokens,).
        characters: length of the training text.
        sha256: SHA-256 of the training text in UTF-8.
        seeds: line starts for samples without a prompt.
        notes: what a user should know about the corpus.
        text_form: how the files were read, for the bundle: ``encodings`` and ``normalization``.
        items: whether the text has one item a line.
        known: the lines of a text with one item a line; None for other texts, or if seeds are not kept.
    """

    tokenizer: Tokenizer
    training: Tokens
    validation: Tokens
    characters: int
    sha256: str
    seeds: list[str]
    notes: list[str]
    text_form: dict[str, Any]
    items: bool = False
    known: KnownLines | None = None
