"""Corpora: from the bytes of files to clean text, and a report before training."""

from textgen.corpus.reading.cut_places import split_for_validation
from textgen.corpus.reading.text import MAXIMUM_BYTES, clean, decode, normal_form, read
from textgen.corpus.report import (
    MINIMUM_CHARACTERS,
    CorpusStats,
    Measurer,
    check_stats,
    check_trainable,
    measure,
    suspect_secrets,
)
from textgen.corpus.seeds import LineStarts, line_starts

__all__ = [
    "MAXIMUM_BYTES",
    "MINIMUM_CHARACTERS",
    "CorpusStats",
    "LineStarts",
    "Measurer",
    "check_stats",
    "check_trainable",
    "clean",
    "decode",
    "line_starts",
    "measure",
    "normal_form",
    "read",
    "split_for_validation",
    "suspect_secrets",
]
