"""What a training reads: the text, its validation part, and their tokens."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from textgen import corpus
from textgen.errors import CorpusError
from textgen.settings import TrainingSettings
from textgen.tokenizers import CharacterTokenizer, Tokenizer, Tokens

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
    tokenizer = CharacterTokenizer.train(
        text, lowercase=not settings.pristine_input, vocabulary_size=settings.vocabulary_size
    )
    unseen = tokenizer.unseen(validation)
    if unseen:
        shown = " ".join(repr(symbol) for symbol in unseen[:5])
        notes.append(f"the validation text holds {len(unseen)} symbols that the vocabulary lacks: {shown}")
    return PreparedCorpus(
        tokenizer=tokenizer,
        training=tokenizer.encode(text),
        validation=tokenizer.encode(validation),
        characters=len(text),
        sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        seeds=corpus.line_starts(text) if settings.keep_seeds else [],
        notes=notes,
    )
