"""The corpora that texts are kept from repeating, read as a training reads them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from textgen.corpus.reading.reader import read_as_trained
from textgen.corpus.reading.sources import ReadingOptions
from textgen.evaluation.copies import CopyIndex


def text_of(path: Path, options: ReadingOptions, trained: Mapping[str, Any]) -> str:
    """Return the text of a file as a training reads it; what a user should know of that is told.

    Args:
        path: the file.
        options: how the user wants it to be read.
        trained: the training's ``text_form`` (`textgen.bundle.Manifest`).

    Raises:
        CorpusError: it cannot be read.
    """
    text, notes = read_as_trained(path, options, trained)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    return text


@contextmanager
def indexed(paths: Sequence[Path], longest: int, trained: Mapping[str, Any]) -> Iterator[list[CopyIndex]]:
    """Index corpora. An index looks into its corpus, so each is there as plain text until the end.

    Args:
        paths: their files.
        longest: characters of a passage that is allowed.
        trained: the training's ``text_form`` (`textgen.bundle.Manifest`).

    Raises:
        CorpusError: one cannot be read.
    """
    if not paths:
        yield []
        return
    with tempfile.TemporaryDirectory(prefix="textgen-") as folder:
        made = []
        for number, path in enumerate(paths):
            plain = Path(folder) / f"{number}.txt"
            plain.write_text(text_of(path, ReadingOptions(), trained), encoding="utf-8", newline="")
            made.append(CopyIndex.of(plain, longest))
        yield made
