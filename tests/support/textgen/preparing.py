"""Prepares a corpus as a training does, for the tests of what comes of it."""

from __future__ import annotations

from pathlib import Path

from textgen.corpus.reading.sources import ReadingOptions, find
from textgen.settings.training import TrainingSettings
from textgen.training.data.preparation import prepare
from textgen.training.data.prepared_corpus import PreparedCorpus
from textgen.training.data.token_cache import TokenCache

SETTINGS = TrainingSettings.from_flags(pristine_input=True)


def prepared(
    source: Path, cache: TokenCache | None = None, options: ReadingOptions | None = None, **flags: object
) -> PreparedCorpus:
    settings = TrainingSettings.from_flags(**{"pristine_input": True, **flags})  # type: ignore[arg-type]
    return prepare(find(source), settings, options=options or ReadingOptions(), cache=cache, scratch=source)


def text_of(corpus: PreparedCorpus) -> tuple[str, str]:
    return corpus.tokenizer.decode(corpus.training), corpus.tokenizer.decode(corpus.validation)
