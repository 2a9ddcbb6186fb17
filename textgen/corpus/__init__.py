"""Corpora: from uploaded bytes to clean text, and what to say of it before training."""

from textgen.corpus.report import (
    MINIMUM_CHARACTERS,
    CorpusStats,
    check_trainable,
    measure,
    suspect_chat_log,
    suspect_secrets,
)
from textgen.corpus.text import MAXIMUM_BYTES, clean, decode, line_starts, read, split_for_validation

__all__ = [
    "MAXIMUM_BYTES",
    "MINIMUM_CHARACTERS",
    "CorpusStats",
    "check_trainable",
    "clean",
    "decode",
    "line_starts",
    "measure",
    "read",
    "split_for_validation",
    "suspect_chat_log",
    "suspect_secrets",
]
