"""Finds the files of a corpus: a file, several files or a folder; text, Markdown, CSV, TSV or JSON lines.

This module must not import NumPy or Keras.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import IOBase
from pathlib import Path

from textgen.argument_checks import as_path, checked_text, shown
from textgen.corpus.reading.encoding import ErrorPolicy, check_name, check_policy
from textgen.corpus.reading.json_rows import JSON_LINES
from textgen.errors import CorpusError
from textgen.files.bundle_files import MANIFEST, WEIGHTS

TRAINING_FILE, VALIDATION_FILE = "input.txt", "validate.txt"

TEXT = (".txt", ".md")
TABLES = (".csv", ".tsv", *JSON_LINES)
_COMPRESSED = {".gz": "gunzip", ".bz2": "bunzip2", ".xz": "unxz", ".zst": "unzstd", ".zip": "unzip"}
_NAMED = 3

Source = str | Path | Sequence[str | Path]


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How the files of a corpus are read.

    Attributes:
        column: the column of CSV files, or the key of JSON lines, that holds the text; None if there is only
            one.
        encoding: the encoding of every file; None for UTF-8 or the one of a file's byte-order mark.
        encoding_errors: "strict" refuses bytes that the encoding does not allow; "replace" puts U+FFFD.

    Raises:
        SettingsError: there is no such encoding or policy.
    """

    column: str | None = None
    encoding: str | None = None
    encoding_errors: ErrorPolicy = "strict"

    def __post_init__(self) -> None:
        """Check the options."""
        check_policy(self.encoding_errors)
        if self.column is not None:
            checked_text(self.column, "column")
        if self.encoding is not None:
            # "latin1" and "ISO-8859-1" are stored under one name.
            object.__setattr__(self, "encoding", check_name(self.encoding))


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a corpus, in the order in which they are read.

    Attributes:
        training: the files of the training text.
        validation: the file of the validation text; None if part of the training text is held out.
        home: the folder in which a bundle is written if the user names none.
        notes: what a user should know of the choice.
    """

    training: tuple[Path, ...]
    validation: Path | None
    home: Path
    notes: tuple[str, ...] = ()


def find(source: Source | object) -> Sources:
    """Return the files of a corpus.

    Args:
        source: a file, a folder, or several of both. In a folder with ``input.txt`` that file is read (and
            ``validate.txt``). In another folder all files with an extension in `TEXT` or `TABLES` are read,
            sorted by name, subfolders included. Hidden files, bundles and links to folders are skipped.

    Raises:
        CorpusError: a file is absent or of another kind, the folder has none, what is given is no path, or
            two folders have a validation text.
    """
    given = [source] if isinstance(source, str | bytes | os.PathLike) else source
    if not isinstance(given, Iterable) or isinstance(given, IOBase):
        raise CorpusError(
            f"the corpus is {shown(source)}; it must be the path of a file or folder, or a list of paths"
        )
    paths = [as_path(path, "corpus", CorpusError) for path in given]
    if not paths:
        raise CorpusError("no file is named; a corpus needs one at least")
    files: list[Path] = []
    held_out: list[Path] = []
    notes: list[str] = []
    for path in paths:
        if not path.is_dir():
            _check_file(path)
            files.append(path)
            continue
        _refuse_bundle(path)
        training, validation, skipped = _find_in_folder(path)
        files += training
        held_out += [validation] if validation else []
        notes += skipped
    if len(held_out) > 1:
        raise CorpusError(
            f"{held_out[0]} and {held_out[1]} are two validation texts, and a training takes one; rename one"
        )
    first = paths[0]
    home = first if first.is_dir() else first.parent
    return _together(files, held_out[0] if held_out else None, home, notes)


def _refuse_bundle(folder: Path) -> None:
    """Refuse a folder that is a model.

    Raises:
        CorpusError: it is one.
    """
    if (folder / MANIFEST).is_file() and (folder / WEIGHTS).is_file():
        raise CorpusError(f"{folder} is a model, not a text; name the text or its folder")


def _find_in_folder(folder: Path) -> tuple[list[Path], Path | None, list[str]]:
    """Return the files of a folder's text, the file of its validation text, and what is not read."""
    held_out = folder / VALIDATION_FILE
    validation = held_out if held_out.exists() else None
    if (folder / TRAINING_FILE).exists():
        return [folder / TRAINING_FILE], validation, []
    found: list[Path] = []
    others: dict[str, list[str]] = {}
    for path, reason in _walk(folder):
        if path == held_out:
            continue
        if not reason and path.suffix.lower() in _COMPRESSED:
            _check_file(path)
        if not reason and path.suffix.lower() not in TEXT + TABLES:
            reason = f"they are not {', '.join(TEXT + TABLES)}"
        if reason:
            others.setdefault(reason, []).append(str(path.relative_to(folder)))
        else:
            found.append(path)
    notes = [f"not read, for {reason}: {listing(names)}" for reason, names in others.items()]
    if not found:
        raise CorpusError(
            f"{folder} has neither {TRAINING_FILE} nor another file to read ({', '.join(TEXT + TABLES)})"
            + "".join(f"; {note}" for note in notes)
        )
    return found, validation, notes


def _walk(folder: Path) -> list[tuple[Path, str]]:
    """Return the paths in a folder and its subfolders, sorted; with each, why it is skipped, or ""."""

    def refuse(error: OSError) -> None:
        raise CorpusError(f"{error.filename} cannot be read: {error.strerror}")

    found: list[tuple[Path, str]] = []
    for place, folders, names in os.walk(folder, onerror=refuse):
        here = Path(place)
        if {MANIFEST, WEIGHTS} <= set(names):
            folders.clear()
            continue
        for name in list(folders):
            if (here / name).is_symlink():
                found.append((here / name, "they are links to folders"))
            elif name.startswith("."):
                folders.remove(name)
        for name in names:
            path = here / name
            if not name.startswith("."):
                found.append((path, "" if path.is_file() else "they are no files"))
            elif path.suffix.lower() in TEXT + TABLES:
                # Hidden files of the system are not worth a note.
                found.append((path, "they are hidden"))
    return sorted(found, key=lambda entry: entry[0].relative_to(folder).parts)


def _together(paths: Sequence[Path], validation: Path | None, home: Path, others: Sequence[str]) -> Sources:
    """Return several files as one corpus, without duplicates and empty files."""
    kept: dict[object, Path] = {}
    twice, empty = [], []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            # The reader will raise the error.
            kept[path] = path
            continue
        identity = status.st_dev, status.st_ino
        if identity in kept:
            twice.append(_name(path, home))
        elif not status.st_size and len(paths) > 1:
            empty.append(_name(path, home))
        else:
            kept[identity] = path
    if not kept:
        raise CorpusError(
            f"{listing(empty)}: all {len(empty)} files are empty (0 bytes); a corpus is some text"
        )
    notes = []
    if len(kept) > 1:
        notes.append(f"{len(kept)} files are read: {listing([_name(path, home) for path in kept.values()])}")
    if twice:
        notes.append(f"read once, for they are there twice: {listing(twice)}")
    if empty:
        notes.append(f"not read, for they are empty: {listing(empty)}")
    return Sources(tuple(kept.values()), validation, home, (*notes, *others))


def _name(path: Path, home: Path) -> str:
    return str(path.relative_to(home)) if path.is_relative_to(home) else str(path)


def _check_file(path: Path) -> None:
    kind = path.suffix.lower()
    if kind in _COMPRESSED:
        raise CorpusError(
            f"{path} is compressed; compressed files are not read: unpack it first "
            f"({_COMPRESSED[kind]} {path.name})"
        )
    if path.is_dir():
        raise CorpusError(
            f"{path} is a folder; a corpus is one folder, or files: {path}/{TRAINING_FILE}, for example"
        )
    if path.exists() and not path.is_file():
        raise CorpusError(f"{path} is a device or a pipe; a corpus is read twice and must be a file")


def listing(names: list[str]) -> str:
    """Return the first names as part of a sentence."""
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"
