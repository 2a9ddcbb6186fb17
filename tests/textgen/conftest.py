"""A corpus that trains in seconds, and the flags of a network small enough for it."""

from __future__ import annotations

import random
from pathlib import Path
from types import ModuleType

import pytest

SMALL = {
    "preset": "classic",
    "embedding_size": 8,
    "rnn_size": 16,
    "num_layers": 1,
    "batch_size": 8,
    "seq_length": 25,
    "pristine_input": True,
}
SMALL_FLAGS = (
    *("--preset", "classic", "--embedding-size", "8", "--rnn-size", "16", "--num-layers", "1"),
    *("--batch-size", "8", "--seq-length", "25"),
)


@pytest.fixture
def keras() -> ModuleType:
    """Keras, which takes seconds to load: processes that collect tests, but run none with it, do without."""
    import keras

    return keras


_SUBJECTS = ("The cat", "A dog", "My aunt", "The old king", "Somebody", "Nobody here")
_VERBS = ("sees", "follows", "remembers", "sings to", "forgets")
_OBJECTS = ("the moon", "a garden", "seven stones", "the sea", "an open door")


def prose(sentences: int) -> str:
    """Return simple sentences, always the same ones."""
    draw = random.Random(11)
    return "".join(
        f"{draw.choice(_SUBJECTS)} {draw.choice(_VERBS)} {draw.choice(_OBJECTS)}.\n" for _ in range(sentences)
    )


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder with an input.txt of about 20,000 characters."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "input.txt").write_text(prose(700), encoding="utf-8")
    return folder
