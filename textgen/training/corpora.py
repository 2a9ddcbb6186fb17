"""What a training reads: the text, its validation part, and their tokens."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from textgen import corpus, tokenizers
from textgen.errors import CorpusError
from textgen.settings import TrainingSettings
from textgen.tokenizers import Tokenizer, Tokens

TRAINING_FILE, VALIDATION_FILE = "input.txt", "validate.txt"
_SHORTEST_VALIDATION = 100


@dataclass(frozen=True, slots=True)
class PreparedCorpus:
    """A corpus ready for training.

    Attributes:
        tokenizer: built on the training text alone.
        training: its tokens.
        validation: the validation text's tokens.
        characters: length of the training text.
        sha256: of the training text in UTF-8.
        seeds: line starts for sampling.
        notes: what a user should know of it.
    """

    tokenizer: Tokenizer
    training: Tokens
    validation: Tokens
    characters: int
    sha256: str
    seeds: list[str]
    notes: list[str]


def prepare(source: Path, settings: TrainingSettings) -> PreparedCorpus:
    """Read a corpus: a folder with ``input.txt`` and perhaps ``validate.txt``, or one text file.

    Raises:
        CorpusError: it is absent, not text, or too short.
    """
    notes = []
    folder = source.is_dir()
    text = corpus.read(source / TRAINING_FILE if folder else source)
    corpus.check_trainable(text)
    held_out = source / VALIDATION_FILE
    if folder and held_out.exists():
        validation = corpus.read(held_out)
        if len(validation) < _SHORTEST_VALIDATION:
            raise CorpusError(
                f"{held_out} has {len(validation)} characters; at least {_SHORTEST_VALIDATION} are needed"
            )
    else:
        share = max(settings.validation_split, _SHORTEST_VALIDATION / len(text))
        text, validation = corpus.split_for_validation(text, share)
        notes.append(f"the last {len(validation):,} characters are held out for validation")
    tokenizer = tokenizers.train(
        settings.level,
        text,
        pristine_input=settings.pristine_input,
        pristine_output=settings.pristine_output,
        vocabulary_size=settings.vocabulary_size,
    )
    training, validating = tokenizer.encode(text), tokenizer.encode(validation)
    notes += coverage_notes(tokenizer, training, validating)
    unseen = tokenizer.unseen(validation)
    if unseen:
        kind = "words" if settings.level == "word" else "symbols"
        shown = " ".join(repr(symbol) for symbol in unseen[:5])
        notes.append(f"the validation text holds {len(unseen):,} {kind} that the vocabulary lacks: {shown}")
    return PreparedCorpus(
        tokenizer=tokenizer,
        training=training,
        validation=validating,
        characters=len(text),
        sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        seeds=corpus.line_starts(text) if settings.keep_seeds else [],
        notes=notes,
    )


def coverage_notes(tokenizer: Tokenizer, training: Tokens, validation: Tokens) -> list[str]:
    """Return what to say of the tokens that the vocabulary lacks, if it lacks any."""
    shares = [tokenizers.coverage(tokens) for tokens in (training, validation)]
    if min(shares) == 1:
        return []
    return [
        f"the vocabulary of {tokenizer.size:,} tokens covers {shares[0]:.2%} of the training text and "
        f"{shares[1]:.2%} of the validation text"
    ]
