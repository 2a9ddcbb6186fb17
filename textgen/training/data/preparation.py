"""Turning a corpus into tokens for training and validation.

The text is read twice, a megabyte at a time. The first pass decodes, checks and measures it and trains the
tokenizer. The second pass encodes it.
"""

from __future__ import annotations

import dataclasses
import io
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import IO, Any

from textgen import tokenizers
from textgen.corpus.known_lines import KnownLines
from textgen.corpus.reading.reader import BLOCK_BYTES, CorpusReader, FileBreak, divide
from textgen.corpus.reading.sources import ReadingOptions, Sources
from textgen.corpus.reading.text import NORMALIZATION
from textgen.errors import CorpusError, TrainingError
from textgen.settings.training import TrainingSettings
from textgen.tokenizers import Tokenizer, Tokens
from textgen.tokenizers import from_json as tokenizer_from_json
from textgen.training.data import token_cache
from textgen.training.data.prepared_corpus import PreparedCorpus
from textgen.training.data.reading_time import ReadingTime
from textgen.training.data.survey import SHORTEST_VALIDATION, Survey
from textgen.training.data.token_cache import TokenCache
from textgen.training.data.token_files import TokenWriter, open_tokens
from textgen.training.reporting.events import Control

CACHED_FROM_BYTES = 16 << 20
"""Smaller corpora are prepared in a second or two, so they are cached only if the user names a folder."""

# The n-gram model needs a context of up to six tokens.
_FEWEST_VALIDATION_TOKENS = 8
_UNSEEN_SHOWN = 5

# Settings of the network and its training, which do not change the tokens. Every other setting is part of the
# cache's key, so a missing name here can only cost a cache hit.
_NOT_OF_THE_TOKENS = {
    *("preset", "cell", "embedding_size", "rnn_size", "num_layers", "dropout", "optimizer", "learning_rate"),
    *("schedule", "batch_size", "seq_length", "seq_step", "expansion", "prior"),
    "random_seed",
}


def prepare(
    sources: Sources,
    settings: TrainingSettings,
    *,
    options: ReadingOptions = ReadingOptions(),  # noqa: B008 -- it is frozen
    cache: TokenCache | None = None,
    scratch: Path | None = None,
    time: ReadingTime | None = None,
    base: Tokenizer | None = None,
) -> PreparedCorpus:
    """Read a corpus and turn it into tokens.

    Args:
        sources: its files (`textgen.corpus.reading.sources.find`).
        settings: decide the tokenizer, and the share that is held out if there is no ``validate.txt``.
        options: how the files are read.
        cache: keeps the tokens for the next training; None to keep nothing.
        scratch: folder for the tokens of a large corpus that are not cached; they are deleted when the
            process ends. None for memory.
        time: time limit of the preparation; None for none.
        base: a tokenizer to extend instead of training a new one.

    Raises:
        CorpusError: the corpus is absent, not text, too short, or changes while it is read.
        TrainingError: the disk refuses the tokens, or the time is over.
        TrainingInterruptedError: the training was cancelled.
    """
    time = time or ReadingTime(None, Control())
    preparation = _Preparation(sources, settings, options, time, base)
    try:
        with time.watched():
            return preparation.through(cache) if cache else preparation.into_scratch(scratch)
    except OSError as error:
        raise TrainingError(
            f"the tokens of the corpus cannot be written to {cache.folder if cache else scratch}: "
            f"{error.strerror}; make room",
            advice=["name another folder with --cache-dir"],
        ) from None


def choose_cache(sources: Sources, folder: Path | None = None) -> TokenCache | None:
    """Return the cache for a corpus, or None if it is small and the user names no folder.

    Args:
        sources: files of the corpus.
        folder: folder of the cache that the user names; None for the default folder.

    Raises:
        CorpusError: the corpus is absent.
    """
    if folder is not None:
        return TokenCache(folder)
    if CorpusReader(sources.training, ReadingOptions()).bytes < CACHED_FROM_BYTES:
        return None
    return token_cache.default_cache()


class _Preparation:
    """Reads one corpus twice."""

    def __init__(
        self,
        sources: Sources,
        settings: TrainingSettings,
        options: ReadingOptions,
        time: ReadingTime,
        base: Tokenizer | None,
    ) -> None:
        self._time = time
        self._sources, self._settings, self._options, self._base = sources, settings, options, base
        # A pretrained base has seen this token between texts that have nothing to do with each other.
        self._start: int | None = getattr(base, "start", None)
        self._text = CorpusReader(sources.training, options, time.block_read)
        held_out = [sources.validation] if sources.validation else []
        # A validation file is plain text, even if the training text is a table.
        self._held_out = CorpusReader(held_out, dataclasses.replace(options, column=None), time.block_read)
        self._share = 0.0 if sources.validation else max(settings.validation_split, 1e-9)

    def through(self, cache: TokenCache) -> PreparedCorpus:
        """Return the corpus from a cache; on a cache miss, prepare it there."""
        key = self._key()
        found = cache.find(key)
        if found is not None:
            tokenizer = tokenizer_from_json(found["tokenizer"])
            try:
                training, validation = (
                    open_tokens(cache.folder / key / name, tokenizer.size)
                    for name in (token_cache.TRAINING, token_cache.VALIDATION)
                )
                return self._prepared(tokenizer, found, training, validation)
            except FileNotFoundError:
                # Another process removed the entry to make room: prepare the tokens again.
                pass
        with cache.adding(key) as folder:
            with (
                (folder / token_cache.TRAINING).open("w+b") as training_file,
                (folder / token_cache.VALIDATION).open("w+b") as validation_file,
            ):
                prepared, found = self._read_twice(training_file, validation_file)
            cache.publish(folder, key, found)
        return prepared

    def into_scratch(self, folder: Path | None) -> PreparedCorpus:
        """Prepare the corpus in memory; a large one in an unnamed temporary file."""
        if folder is None or self._text.bytes < CACHED_FROM_BYTES:
            return self._read_twice(io.BytesIO(), io.BytesIO())[0]
        with tempfile.TemporaryFile(dir=folder) as first, tempfile.TemporaryFile(dir=folder) as second:
            return self._read_twice(first, second)[0]

    def _key(self) -> str:
        settings = self._settings.fingerprint().items()
        return token_cache.key_of(
            text=self._text.fingerprint(),
            kinds=[path.suffix.lower() for path in self._sources.training],
            validation=self._held_out.fingerprint(),
            options=asdict(self._options) | ({} if self._start is None else {"between": self._start}),
            settings={name: value for name, value in settings if name not in _NOT_OF_THE_TOKENS},
        )

    def _prepared(
        self, tokenizer: Tokenizer, found: dict[str, Any], training: Tokens, validation: Tokens
    ) -> PreparedCorpus:
        return PreparedCorpus(
            tokenizer=tokenizer,
            training=training,
            validation=validation,
            characters=found["characters"],
            sha256=found["text_sha256"],
            seeds=found["seeds"] if self._settings.keep_seeds else [],
            # Notes on skipped files depend on the files' names, which are not part of the key.
            notes=[*self._sources.notes, *found["notes"]],
            text_form=found["text_form"],
            items=found["items"] is not None,
            known=KnownLines.of(found["items"]) if found["items"] and self._settings.keep_seeds else None,
        )

    def _parts(self) -> Iterator[tuple[bool, str]]:
        """Yield the text in parts; of each, whether it is held out for validation."""
        for part in divide(self._text.pieces(), self._text.bytes, self._share, SHORTEST_VALIDATION):
            if self._text.bytes > BLOCK_BYTES:
                self._time.go_on()
            yield part
        for piece in self._held_out.pieces():
            yield True, piece.text

    def _read_twice(
        self, training: IO[bytes], validation: IO[bytes]
    ) -> tuple[PreparedCorpus, dict[str, Any]]:
        """Write the tokens; return the corpus, and its tokenizer and measures as JSON data."""
        survey = Survey(own_validation=self._sources.validation is None)
        # The tokenizer may stop early, but the survey must see the whole text. Leaving a loop over a
        # generator closes it; a chain stays open.
        text = chain(survey.watch(self._parts()))
        tokenizer = self._base.extended(text) if self._base else _train_tokenizer(text, self._settings)
        for _ in text:
            pass
        notes = [*self._text.notes, *survey.notes(self._sources, self._text.chat_log)]

        writers = TokenWriter(training, tokenizer), TokenWriter(validation, tokenizer)
        unseen: dict[str, None] = {}
        for held_out, part in self._parts():
            if isinstance(part, FileBreak) and self._start is not None:
                writers[held_out].add_token(self._start)
            elif writers[held_out].add(part) and held_out:
                unseen |= dict.fromkeys(tokenizer.unseen(part))
        if any(writer.unknown for writer in writers):
            notes.append(
                f"the vocabulary of {tokenizer.size:,} tokens covers {writers[0].coverage:.2%} of the "
                f"training text and {writers[1].coverage:.2%} of the validation text; the rest is unknown "
                "to the model"
            )
        if unseen:
            shown = " ".join(repr(symbol) for symbol in list(unseen)[:_UNSEEN_SHOWN])
            notes.append(
                f"the validation text holds {len(unseen):,} symbols that the vocabulary lacks: {shown}"
            )
        self._check_validation(writers[True].tokens, tokenizer.level)
        encodings = list(dict.fromkeys([*self._text.encodings, *self._held_out.encodings]))
        found = {
            "tokenizer": tokenizer.to_json(),
            "characters": survey.characters,
            "text_sha256": survey.digest.hexdigest(),
            "seeds": survey.starts.starts(),
            "notes": notes,
            "items": survey.items,
            "text_form": {
                "encodings": encodings,
                "normalization": NORMALIZATION,
                # `textgen evaluate` reads its text in the same way.
                **{
                    name: value
                    for name, value in asdict(self._options).items()
                    if value not in (None, "strict")
                },
            },
        }
        opened = (open_tokens(file, tokenizer.size) for file in (training, validation))
        return self._prepared(tokenizer, found, *opened), found

    def _check_validation(self, tokens: int, level: str) -> None:
        """Refuse a validation text on which no loss can be measured.

        Raises:
            CorpusError: it has too few tokens.
        """
        if tokens >= _FEWEST_VALIDATION_TOKENS:
            return
        which = self._sources.validation or "the end of the text that is held out"
        raise CorpusError(
            f"{which} has {tokens} tokens at {level} level; at least {_FEWEST_VALIDATION_TOKENS} are needed "
            "to measure a loss: give more text",
            advice=[] if self._sources.validation else ["give a larger --validation-split"],
        )


def _train_tokenizer(text: Iterable[str], settings: TrainingSettings) -> Tokenizer:
    return tokenizers.train(
        settings.level,
        text,
        pristine_input=settings.pristine_input,
        pristine_output=settings.pristine_output,
        vocabulary_size=settings.vocabulary_size,
    )
