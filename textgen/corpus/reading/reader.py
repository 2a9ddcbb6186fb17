"""Reads a corpus in pieces, so that any size needs little memory. It can be read again with the same result.

This module must not import NumPy or Keras.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from textgen.corpus.reading.csv_rows import CsvTable
from textgen.corpus.reading.cut_places import cut_near, reach_of
from textgen.corpus.reading.encoding import Decoder
from textgen.corpus.reading.json_rows import JSON_LINES, JsonTable
from textgen.corpus.reading.sources import TABLES, ReadingOptions, listing
from textgen.corpus.reading.text import MAXIMUM_BYTES, clean_pieces, unreadable
from textgen.errors import CorpusError
from textgen.unicode.characters import Dropped

BLOCK_BYTES = 1 << 20


class FileBreak(str):
    """The line breaks between two files, told apart from those in a file."""

    __slots__ = ()


class Piece(NamedTuple):
    """Clean text, and the corpus' bytes that it came from.

    Attributes:
        text: the text, cut after a line break if there is one, and never inside a grapheme.
        begin: number of bytes before it, over all files.
        end: number of bytes up to its end.
    """

    text: str
    begin: int
    end: int


def _nothing() -> None:
    """Do nothing between two blocks."""


class CorpusReader:
    """Reads files as one clean text, with a blank line between two files.

    Args:
        paths: the files.
        options: how they are read.
        between_blocks: called after each megabyte of a file; an error that it raises ends the reading.
        block_bytes: how much is read at once.

    Attributes:
        bytes: size of all files together.
        encodings: the encodings that were found, known after the first reading.
        notes: what a user should know, known after the first reading.
        chat_log: what kind of chat log a table's columns tell of, or None.

    Raises:
        CorpusError: a file is absent, or all together are larger than `MAXIMUM_BYTES`.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        options: ReadingOptions,
        between_blocks: Callable[[], None] = _nothing,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        """Add up the files' sizes; nothing is read yet."""
        self._paths, self._options, self._between_blocks = paths, options, between_blocks
        self._block_bytes = block_bytes
        self._digests: dict[Path, str] = {}
        self._read: set[Path] = set()
        self._position = 0
        self.encodings: list[str] = []
        self.notes: list[str] = []
        self.chat_log: str | None = None
        self.bytes = sum(_size(path) for path in paths)
        if self.bytes > MAXIMUM_BYTES:
            which = paths[0] if len(paths) == 1 else f"the corpus of {len(paths)} files"
            raise CorpusError(f"{which} has {self.bytes:,} bytes; at most {MAXIMUM_BYTES:,} are read")
        if options.column is not None and paths:
            self._check_column(options.column)

    def _check_column(self, column: str) -> None:
        """Refuse a column if no file is a table; note the files without columns if some are."""
        texts = [path.name for path in self._paths if path.suffix.lower() not in TABLES]
        if len(texts) == len(self._paths):
            raise CorpusError(
                f"{texts[0]} is no table: a column, here {column!r}, is for {', '.join(TABLES)}",
                advice=["leave --column out"],
            )
        if texts:
            self.notes.append(f"no tables, so they are read whole: {listing(texts)}")

    def fingerprint(self) -> str:
        """Return the SHA-256 of the files' content; files that have not been read yet are read."""
        for path in self._paths:
            if path not in self._digests:
                for _ in self._blocks(path):
                    pass
        return hashlib.sha256("".join(self._digests[path] for path in self._paths).encode()).hexdigest()

    def pieces(self) -> Iterator[Piece]:
        """Read all files.

        Raises:
            CorpusError: a file is unreadable, not text, or has changed since it was read before.
        """
        begin = self._position = 0
        before = ""
        for path in self._paths:
            if before:
                # The last line of a file may have no line break.
                yield Piece(FileBreak("\n" if before.endswith("\n") else "\n\n"), begin, begin)
            held, end = "", begin
            for text in self._texts(path):
                # Text that was held back until the file's end belongs to the same bytes as the text before
                # it.
                if held and self._position > end:
                    yield Piece(held, begin, end)
                    begin, held = end, ""
                held, end = held + text, self._position
            yield Piece(held, begin, end)
            begin, before = end, held

    def _texts(self, path: Path) -> Iterator[str]:
        name, options = str(path), self._options
        decoder = Decoder(
            name, options.encoding, options.encoding_errors, flags=True, alone=len(self._paths) == 1
        )
        texts: Iterable[str] = decoder.decode_all(self._blocks(path))
        table = None
        if path.suffix.lower() in TABLES:
            kind = JsonTable if path.suffix.lower() in JSON_LINES else CsvTable
            table = kind(name, options.column)
            texts = table.read(texts)
        dropped = Dropped()
        try:
            yield from clean_pieces(texts, name=name, dropped=dropped)
        except CorpusError:
            if path not in self._read:
                raise
            # It was valid when it was read before.
            raise _changed(path) from None
        if path not in self._read:
            self._read.add(path)
            if decoder.encoding not in self.encodings:
                self.encodings.append(decoder.encoding)
            if table is not None:
                self.notes += table.notes()
                if table.chat_log:
                    self.chat_log = f"a chat export ({path.name} has authors and times)"
            self.notes += dropped.notes(path.name)

    def _blocks(self, path: Path) -> Iterator[bytes]:
        """Read a file's bytes, and compare their hash with that of the last reading."""
        digest, read = hashlib.sha256(), 0
        try:
            with path.open("rb", buffering=0) as stream:
                while block := stream.read(self._block_bytes):
                    if read:
                        self._between_blocks()
                    read += len(block)
                    digest.update(block)
                    self._position += len(block)
                    yield block
        except OSError as error:
            raise unreadable(path, error) from None
        if self._digests.setdefault(path, digest.hexdigest()) != digest.hexdigest():
            raise _changed(path)


def read_as_trained(path: Path, given: ReadingOptions, trained: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the text of a file, read with a training's options, and notes for the user.

    Args:
        path: the file; of a table, the training's column is read.
        given: the user's options, which take precedence.
        trained: the training's ``text_form`` (`textgen.bundle.Manifest`).

    Raises:
        CorpusError: see `CorpusReader`.
        SettingsError: the training's options are not valid.
    """
    column, encoding = (
        value if isinstance(value := trained.get(name), str) else None for name in ("column", "encoding")
    )
    if given.column is None and path.suffix.lower() in TABLES:
        given = replace(given, column=column)
    if trained.get("encoding_errors") == "replace":
        given = replace(given, encoding_errors="replace")
    if given.encoding is None and encoding is not None:
        try:
            return _read_whole(path, replace(given, encoding_errors="strict"))
        except CorpusError:
            text, notes = _read_whole(path, replace(given, encoding=encoding))
            return text, [f"{path.name} is read in {encoding}, as the model's corpus was", *notes]
    return _read_whole(path, given)


def _read_whole(path: Path, options: ReadingOptions) -> tuple[str, list[str]]:
    reader = CorpusReader([path], options)
    return "".join(piece.text for piece in reader.pieces()), reader.notes


def divide(pieces: Iterable[Piece], total: int, share: float, fewest: int = 1) -> Iterator[tuple[bool, str]]:
    """Hold out the end of a text. The result does not depend on the cuts between the pieces.

    Neighbouring lines are so similar that with scattered ones a model would be tested on what it has seen.

    The place is computed from the number of bytes, so one reading is enough. The cut is at the next end of
    a paragraph, line or word (`textgen.corpus.reading.cut_places.cut_near`).

    Args:
        pieces: the whole text.
        total: its length in bytes.
        share: share of the text to hold out, 0 (nothing) to 0.5.
        fewest: lowest number of characters to hold out, if the last piece has so many.

    Yields:
        Whether a part is held out, and the part, which is never empty.
    """
    wanted = min(total * (1 - share), total - fewest)
    held_out = False
    for text, begin, end in pieces:
        if held_out or share <= 0 or end <= wanted:
            yield held_out, text
            continue
        held_out = True
        characters_a_byte = len(text) / (end - begin)
        at = round(characters_a_byte * (wanted - begin))
        if end == total:
            at = min(at, len(text) - fewest)
        at = max(0, at)
        whole, rest = round(characters_a_byte * total), round(characters_a_byte * (total - wanted))
        at = cut_near(text, at, reach_of(whole, max(rest, fewest)))
        for is_rest, part in ((False, text[:at]), (True, text[at:])):
            if part:
                yield is_rest, part


def _changed(path: Path) -> CorpusError:
    return CorpusError(f"{path} changed while it was read; start again when nobody writes to it")


def _size(path: Path) -> int:
    try:
        found = path.stat()
        if stat.S_ISREG(found.st_mode) and not os.access(path, os.R_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise unreadable(path, error) from None
    return found.st_size
