"""The corpus of the benchmark: Shakespeare's tragedies if installed, else sentences of generated words."""

from __future__ import annotations

import random
from pathlib import Path

from textgen.corpus import shakespeare
from textgen.host.extras import MissingPackageError

_SENTENCES = 12_000
_WORDS = 1_500
_SYLLABLES = ("ka", "lo", "mi", "ren", "sta", "tu", "vel", "and", "or", "ish", "ep", "qua")


def write(folder: Path) -> str:
    """Write a corpus of about half a megabyte or more into a folder and return its name."""
    try:
        shakespeare.write(folder)
    except MissingPackageError:
        (folder / "input.txt").write_text(generated(), encoding="utf-8")
        return "generated"
    return "shakespeare"


def generated() -> str:
    """Return generated sentences, always the same ones; a few words are frequent and most are rare."""
    draw = random.Random(1)  # noqa: S311 -- no secret
    words = ["".join(draw.choices(_SYLLABLES, k=draw.randint(1, 4))) for _ in range(_WORDS)]
    frequencies = [1 / rank for rank in range(1, _WORDS + 1)]
    sentences = (" ".join(draw.choices(words, frequencies, k=draw.randint(4, 12))) for _ in range(_SENTENCES))
    return "".join(f"{sentence.capitalize()}.\n" for sentence in sentences)
