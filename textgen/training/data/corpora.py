"""What a training reads: the text's tokens, its validation part, and what is known of both.

The text is gone through twice, a megabyte at a time. The first reading decodes, checks and measures
it and builds the vocabulary; the second one turns it into tokens.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np

from textgen import corpus, tokenizers
from textgen.corpus.items import ItemLines
from textgen.corpus.known_lines import KnownLines
from textgen.corpus.reading.reader import BLOCK_BYTES, CorpusReader, divide
from textgen.corpus.reading.sources import ReadingOptions, Sources
from textgen.corpus.reading.text import NORMALIZATION
from textgen.errors import CorpusError, TrainingError
from textgen.settings.training import TrainingSettings
from textgen.tokenizers import Tokenizer, Tokens
from textgen.tokenizers import from_json as tokenizer_from_json
from textgen.tokenizers.character import count_symbols
from textgen.training.data import token_cache
from textgen.training.data.reading_time import ReadingTime
from textgen.training.data.token_cache import TokenCache
from textgen.training.data.token_files import TokenWriter, open_tokens, token_type
from textgen.training.reporting.events import Control

CACHED_FROM_BYTES = 16 << 20
"""Smaller corpora are prepared in a second or two: unless a cache is asked for they leave no copy behind."""

_SHORTEST_VALIDATION = 100
# The counted n-grams look at up to six tokens at once.
_FEWEST_VALIDATION_TOKENS = 8
_UNSEEN_SHOWN = 5

# These decide about the network and its training, never about the tokens. A setting that is not named
# here is taken to matter: too few entries are found again, never a wrong one.
_NOT_OF_THE_TOKENS = {
    *("preset", "cell", "embedding_size", "rnn_size", "num_layers", "dropout", "optimizer", "learning_rate"),
    *("schedule", "batch_size", "seq_length", "seq_step", "expansion", "prior"),
    "random_seed",
}


@dataclass(frozen=True, slots=True)
class PreparedCorpus:
    """A corpus ready for training.

    Attributes:
        tokenizer: built on the training text alone.
        training: its tokens, perhaps a memory map.
        validation: the validation text's tokens.
        characters: length of the training text.
        sha256: of the training text in UTF-8.
        seeds: line starts for sampling.
        notes: what a user should know of it.
        text_form: how the files were read, for the bundle: ``encodings`` and ``normalization``.
        items: whether the text is one item a line.
        known: which lines it holds, if it is and they may be kept.
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
        sources: its files, as `textgen.corpus.reading.sources.find` returns them.
        settings: decide the tokenizer and what is held out where there is no ``validate.txt``.
        options: how the files are read.
        cache: where the tokens are kept for the next time; None for nowhere.
        scratch: a folder for tokens that do not fit in memory and are not kept; they vanish with the process.
        time: how long it may take; None for any time.
        base: a tokenizer to go on from instead of a new one.

    Raises:
        CorpusError: it is absent, not text, too short, or changes while it is read.
        TrainingError: the disk refuses the tokens, or the time is over.
        TrainingInterruptedError: it was cancelled.
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
    """Return the cache that a training uses unless the user wants none.

    Args:
        sources: the corpus; a small one has a cache only where a folder is named.
        folder: the user's choice.

    Raises:
        CorpusError: the corpus is absent.
    """
    if folder is not None:
        return TokenCache(folder)
    if CorpusReader(sources.training, ReadingOptions()).bytes < CACHED_FROM_BYTES:
        return None
    return token_cache.default_cache()


class _Preparation:
    """The two readings of one corpus."""

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
        self._text = CorpusReader(sources.training, options, time.go_on)
        held_out = [sources.validation] if sources.validation else []
        # It is plain text, wherever the training text comes from.
        self._held_out = CorpusReader(held_out, dataclasses.replace(options, column=None), time.go_on)
        self._share = 0.0 if sources.validation else max(settings.validation_split, 1e-9)

    def through(self, cache: TokenCache) -> PreparedCorpus:
        """Take the tokens from a cache, or make them there."""
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
                # Another process has made room meanwhile: the tokens are made again.
                pass
        with cache.adding(key) as folder:
            with (
                (folder / token_cache.TRAINING).open("w+b") as training_file,
                (folder / token_cache.VALIDATION).open("w+b") as validation_file,
            ):
                tokenizer, found = self._read_twice(training_file, validation_file)
                training = open_tokens(training_file, tokenizer.size)
                validation = open_tokens(validation_file, tokenizer.size)
            cache.publish(folder, key, found)
        return self._prepared(tokenizer, found, training, validation)

    def into_scratch(self, folder: Path | None) -> PreparedCorpus:
        """Make the tokens in memory, or for a large corpus in a file without a name."""
        if folder is None or self._text.bytes < CACHED_FROM_BYTES:
            memory = io.BytesIO(), io.BytesIO()
            tokenizer, found = self._read_twice(*memory)
            kind = token_type(tokenizer.size)
            training, validation = (np.frombuffer(part.getbuffer(), kind) for part in memory)
            return self._prepared(tokenizer, found, training, validation)
        with tempfile.TemporaryFile(dir=folder) as first, tempfile.TemporaryFile(dir=folder) as second:
            tokenizer, found = self._read_twice(first, second)
            training, validation = open_tokens(first, tokenizer.size), open_tokens(second, tokenizer.size)
        return self._prepared(tokenizer, found, training, validation)

    def _key(self) -> str:
        settings = self._settings.fingerprint().items()
        return token_cache.key_of(
            text=self._text.fingerprint(),
            kinds=[path.suffix.lower() for path in self._sources.training],
            validation=self._held_out.fingerprint(),
            options=asdict(self._options),
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
            # Which files were left aside depends on their names, which are not of the key.
            notes=[*self._sources.notes, *found["notes"]],
            text_form=found["text_form"],
            items=found["items"] is not None,
            known=KnownLines.of(found["items"] or [])
            if found["items"] and self._settings.keep_seeds
            else None,
        )

    def _parts(self) -> Iterator[tuple[bool, str]]:
        """Return the text, and whether it is held out for validation."""
        for part in divide(self._text.pieces(), self._text.bytes, self._share, _SHORTEST_VALIDATION):
            if self._text.bytes > BLOCK_BYTES:
                self._time.go_on()
            yield part
        for piece in self._held_out.pieces():
            yield True, piece.text

    def _read_twice(self, training: IO[bytes], validation: IO[bytes]) -> tuple[Tokenizer, dict[str, Any]]:
        """Write the tokens; return the tokenizer and what is known of the text, as JSON data."""
        survey = _Survey(own_validation=self._sources.validation is None)
        # A tokenizer need not look at all of the text, but the survey must. A bare generator would end
        # with the loop over it; a chain does not.
        text = chain(survey.watch(self._parts()))
        tokenizer = self._base.extended(text) if self._base else _train_tokenizer(text, self._settings)
        for _ in text:
            pass
        notes = [*self._text.notes, *survey.notes(self._sources, self._text.chat_log)]

        writers = TokenWriter(training, tokenizer), TokenWriter(validation, tokenizer)
        unseen: dict[str, None] = {}
        for held_out, part in self._parts():
            if writers[held_out].add(part) and held_out:
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
        return tokenizer, {
            "tokenizer": tokenizer.to_json(),
            "characters": survey.characters,
            "text_sha256": survey.digest.hexdigest(),
            "seeds": survey.starts.starts(),
            "notes": notes,
            "items": survey.items,
            "text_form": {
                "encodings": encodings,
                "normalization": NORMALIZATION,
                # An evaluated text is read in the same way.
                **{
                    name: value
                    for name, value in asdict(self._options).items()
                    if value not in (None, "strict")
                },
            },
        }

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


class _Survey:
    """Looks at a text while a vocabulary is built on it.

    Args:
        own_validation: whether the held-out part is of the same text.
    """

    def __init__(self, *, own_validation: bool) -> None:
        self.characters = self.held_out = 0
        self.digest = hashlib.sha256()
        self.starts = corpus.LineStarts()
        self.items: list[int] | None = None
        self._lines = ItemLines()
        self._measurer = corpus.Measurer(count_symbols)
        self._own_validation = own_validation

    def watch(self, parts: Iterable[tuple[bool, str]]) -> Iterator[str]:
        """Pass the training text on, and check at its end that one can train on it."""
        for held_out, text in parts:
            self._lines.add(text, only_known=held_out)
            if self._own_validation or not held_out:
                self._measurer.add(text)
            if held_out:
                self.held_out += len(text)
                continue
            self.characters += len(text)
            self.digest.update(text.encode("utf-8", "surrogatepass"))
            self.starts.add(text)
            yield text
        corpus.check_stats(self._measurer.stats())

    def notes(self, sources: Sources, chat_log: str | None) -> list[str]:
        """Return what a user should know.

        Raises:
            CorpusError: the validation text is too short.
        """
        notes = []
        if sources.validation:
            if self.held_out < _SHORTEST_VALIDATION:
                raise CorpusError(
                    f"{sources.validation} has {self.held_out} characters; "
                    f"at least {_SHORTEST_VALIDATION} are needed"
                )
        elif self.held_out < _SHORTEST_VALIDATION // 2:
            raise CorpusError(
                f"the end of the text that is held out has {self.held_out} characters; at least "
                f"{_SHORTEST_VALIDATION} are needed: give more text, or a validate.txt",
                advice=["give a larger --validation-split"],
            )
        else:
            notes.append(f"the last {self.held_out:,} characters are held out for validation")
        if self._lines.found():
            self.items = sorted(self._lines.known)
            notes.append(
                "the text is one item a line: samples begin a line of their own, and lines that stand in the "
                "text are drawn again"
            )
        stats = self._measurer.stats()
        kind = stats.suspected_chat_log or chat_log
        if kind:
            notes.append(f"the text looks like {kind}: train on it only if its authors agreed")
        if stats.suspected_secrets:
            found = ", ".join(stats.suspected_secrets)
            notes.append(f"the text seems to hold {found}: what is trained on can be written")
        return notes


def _train_tokenizer(text: Iterable[str], settings: TrainingSettings) -> Tokenizer:
    return tokenizers.train(
        settings.level,
        text,
        pristine_input=settings.pristine_input,
        pristine_output=settings.pristine_output,
        vocabulary_size=settings.vocabulary_size,
    )
