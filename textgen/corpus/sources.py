"""What a corpus may be: a file, several files, or a folder; plain text, Markdown, CSV or JSON lines.

This module must not import NumPy or Keras.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textgen.corpus.encoding import ErrorPolicy, check_name, check_policy
from textgen.errors import CorpusError

TRAINING_FILE, VALIDATION_FILE = "input.txt", "validate.txt"

TEXT = (".txt", ".md")
TABLES = (".csv", ".jsonl")
_COMPRESSED = {".gz": "gunzip", ".bz2": "bunzip2", ".xz": "unxz", ".zst": "unzstd", ".zip": "unzip"}
_NAMED = 3

Source = str | Path | Sequence[str | Path]


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How the files of a corpus are read.

    Attributes:
        column: the column of CSV files, or the key of JSON lines, that holds the text.
        encoding: the encoding of every file, or None to go by each file's first bytes (UTF-8, or what
            a byte-order mark announces).
        encoding_errors: "strict" refuses bytes that the encoding does not allow; "replace" puts U+FFFD.

    Raises:
        SettingsError: there is no such encoding or policy.
    """

    column: str | None = None
    encoding: str | None = None
    encoding_errors: ErrorPolicy = "strict"

    def __post_init__(self) -> None:
        """Check the names."""
        check_policy(self.encoding_errors)
        if self.encoding is not None:
            # "latin1" and "ISO-8859-1" are recorded as one.
            object.__setattr__(self, "encoding", check_name(self.encoding))


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a corpus, in the order in which they are read.

    Attributes:
        training: the files of the text; between two of them there is a blank line.
        validation: the file of the validation text, or None.
        home: the folder where a bundle stands unless another is named.
        notes: what a user should know of the choice.
    """

    training: tuple[Path, ...]
    validation: Path | None
    home: Path
    notes: tuple[str, ...] = ()


def find(source: Source) -> Sources:
    """Return the files that a corpus' name stands for.

    Args:
        source: a file, or several; or a folder: of one with ``input.txt`` that file is read (and
            ``validate.txt``), of another all .txt, .md, .csv and .jsonl files in the order of their names.

    Raises:
        CorpusError: a file is absent or of another kind, or the folder has none.
    """
    if not isinstance(source, str | Path):
        paths = [Path(path) for path in source]
        if not paths:
            raise CorpusError("no file is named; a corpus needs one at least")
        if len(paths) > 1:
            for path in paths:
                _check_file(path)
            return Sources(tuple(paths), None, paths[0].parent)
        source = paths[0]
    path = Path(source)
    if path.is_dir():
        return _find_in_folder(path)
    _check_file(path)
    return Sources((path,), None, path.parent)


def _find_in_folder(folder: Path) -> Sources:
    held_out = folder / VALIDATION_FILE
    validation = held_out if held_out.exists() else None
    if (folder / TRAINING_FILE).exists():
        return Sources((folder / TRAINING_FILE,), validation, folder)
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
    except OSError as error:
        raise CorpusError(f"{folder} cannot be read: {error.strerror}") from None
    found: list[str] = []
    others: list[str] = []
    for name in names:
        if name.startswith(".") or name == VALIDATION_FILE:
            continue
        kind = Path(name).suffix.lower()
        if kind in _COMPRESSED:
            _check_file(folder / name)
        (found if kind in TEXT + TABLES else others).append(name)
    if not found:
        raise CorpusError(
            f"{folder} has neither {TRAINING_FILE} nor another file to read ({', '.join(TEXT + TABLES)})"
        )
    notes = [f"{len(found)} files are read: {_listing(found)}"] if len(found) > 1 else []
    if others:
        notes.append(f"not read, for they are not {', '.join(TEXT + TABLES)}: {_listing(others)}")
    return Sources(tuple(folder / name for name in found), validation, folder, tuple(notes))


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


def _listing(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"
