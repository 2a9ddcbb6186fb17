"""Corpora: from the bytes of files to clean text, and a report before training."""

from textgen.corpus.reading.text import MAXIMUM_BYTES, clean, normal_form, read
from textgen.corpus.report import (
    MINIMUM_CHARACTERS,
    CorpusStats,
    Measurer,
    check_stats,
)
from textgen.corpus.seeds import LineStarts

__all__ = [
    "MAXIMUM_BYTES",
    "MINIMUM_CHARACTERS",
    "CorpusStats",
    "LineStarts",
    "Measurer",
    "check_stats",
    "clean",
    "normal_form",
    "read",
]
