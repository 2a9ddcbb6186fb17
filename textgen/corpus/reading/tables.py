"""The text in a table: one column of a CSV file, or one key of JSON lines, row after row.

Rows are set apart by a line break; a row of several lines stands between blank lines. What is not
quoted as CSV wants it is kept whole where it is plain what was meant, and noted. This module must not
import NumPy or Keras.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Any

from textgen.errors import CorpusError

_DELIMITERS = ",;\t|"
_BATCH_CHARACTERS = 1 << 20
_LONGEST_FIELD = 64 << 20
_LONGEST_HEADING = 1 << 16
_AUTHORS = {"author", "sender", "from", "user", "username", "user_name", "nick"}
_TIMES = {"timestamp", "date", "time", "created_at", "ts", "sent_at"}
_SHOWN = 12

_LINE_BREAK = re.compile("\r\n|\r|\n")
_SEVERAL_LINES = re.compile("[\r\n\x0b\x0c\x85\u2028\u2029]")
_QUOTED = re.compile(r'"[^"]*(?:""[^"]*)*"')
_WHOLE_QUOTED = re.compile(r'[ \t]*"([^"]*(?:""[^"]*)*)"[\s,;]*\Z')
# What spreadsheets put in front of the heading to say what the delimiter is.
_ANNOUNCED = re.compile(r"sep=(.)\s*\Z", re.I)


class Table:
    """Reads the text of a table that comes in pieces.

    Args:
        name: what the file is called in an error's text.
        column: the column or key that holds the text, or a column's number from 1; None where there is
            only one.

    Attributes:
        empty_rows: rows so far that hold no text.
        wide_rows: rows so far with more fields than the heading, whose text is put together again.
        chat_log: whether the columns are those of a chat export.
    """

    def __init__(self, name: str, column: str | None) -> None:
        """Begin before the first row."""
        self.empty_rows = self.wide_rows = 0
        self.chat_log = False
        self._name, self._column = name, column
        self._heading = self._chosen = ""
        self._one_column = False

    def notes(self) -> list[str]:
        """Return what a user should know, when all is read."""
        name = PurePath(self._name).name
        notes = []
        if self._one_column and self._column is None:
            notes.append(f"the first row of {name}, {_short(self._heading)}, is its heading and no text")
        if self.wide_rows:
            notes.append(
                f"{name} has {self.wide_rows:,} rows with more fields than its heading; their commas are "
                f"read as part of the column {_short(self._chosen)}"
            )
        if self.empty_rows:
            notes.append(f"{name} has {self.empty_rows:,} rows without text")
        return notes

    def read(self, pieces: Iterable[str]) -> Iterator[str]:
        """Return the text of the rows, in batches.

        Raises:
            CorpusError: the file is no such table, or lacks the column or any text in it.
        """
        kind = PurePath(self._name).suffix.lower()
        rows = self._json_lines(pieces) if kind in JSON_LINES else self._csv(pieces, kind)
        batch: list[str] = []
        size, several = 0, False
        first = True
        for text in rows:
            text = text.strip("\r\n")
            if not text or text.isspace():
                self.empty_rows += 1
                continue
            now_several = _SEVERAL_LINES.search(text) is not None
            if not first:
                batch.append("\n\n" if several or now_several else "\n")
            batch.append(text)
            several, first = now_several, False
            size += len(text)
            if size >= _BATCH_CHARACTERS:
                yield "".join(batch)
                batch, size = [], 0
        if first:
            where = f" in the column {_short(self._chosen)}" if self._chosen else ""
            raise CorpusError(
                f"{self._name} holds only white space{where}: {self.empty_rows:,} rows without text"
            )
        if batch:
            yield "".join([*batch, "\n"])

    def _csv(self, pieces: Iterable[str], kind: str) -> Iterator[str]:
        # The module's own limit, 128 KiB, is less than a chapter; it can only be set for the process.
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_FIELD))
        lines = _Lines(pieces)
        delimiters = "\t" if kind == ".tsv" else _DELIMITERS
        heading = self._first_record(lines)
        announced = _ANNOUNCED.match(heading)
        if announced:
            delimiters = announced[1]
            heading = self._first_record(lines)
        self._heading = heading.strip()
        bare = _QUOTED.sub("", heading)
        delimiter = max(delimiters, key=bare.count)
        if delimiter not in bare:
            names = [_unquoted(heading)]
            self._one_column = True
        else:
            # A blank behind each comma is the file's habit, not part of its fields.
            spaced = f"{delimiter} " in bare
            names = next(
                csv.reader(heading.splitlines(keepends=True), delimiter=delimiter, skipinitialspace=True)
            )
        at = self._choose(names, f"the columns of {self._name}", numbers=True)
        self._chosen = names[at].strip()
        begin = lines.number + 1
        try:
            if self._one_column:
                yield from self._single_fields(lines)
            else:
                rows = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=spaced)
                for row in rows:
                    if row:
                        yield self._field(row, at, len(names), f"{delimiter} " if spaced else delimiter)
                    begin = lines.number + 1
        except csv.Error as error:
            number = lines.number if self._one_column else begin
            told = " (a quote is opened that nothing closes)" if "unexpected end" in str(error) else ""
            raise CorpusError(f"{self._name} is not valid CSV: line {number}: {error}{told}") from None

    def _first_record(self, lines: _Lines) -> str:
        """Return the heading, which may hold line breaks between quotes."""
        record = ""
        for line in lines:
            record += line
            if record.isspace():
                record = ""
            elif record.count('"') % 2 == 0 or len(record) > _LONGEST_HEADING:
                break
        return record

    def _single_fields(self, lines: _Lines) -> Iterator[str]:
        """Return the rows of a table of one column: without a delimiter every comma is text."""
        for line in lines:
            if not line.strip():
                continue
            if line.lstrip(" \t").startswith('"'):
                begin = lines.number
                parts, quotes = [line], line.count('"')
                while quotes % 2 and (more := next(lines, None)) is not None:
                    parts.append(more)
                    quotes += more.count('"')
                line = "".join(parts)
                if quotes % 2:
                    lines.number = begin
                    raise csv.Error("unexpected end of data")
                if len(line) > _LONGEST_FIELD:
                    raise csv.Error(f"field larger than field limit ({_LONGEST_FIELD})")
            yield _unquoted(line)

    def _field(self, row: Sequence[str], at: int, width: int, delimiter: str) -> str:
        """Return the text of a row; what is too much of it are bare commas of the text."""
        more = len(row) - width
        while more > 0 and not row[width + more - 1].strip():
            more -= 1
        if more > 0:
            self.wide_rows += 1
            return delimiter.join(row[at : at + more + 1])
        return row[at] if at < len(row) else ""

    def _json_lines(self, pieces: Iterable[str]) -> Iterator[str]:
        key, keys, found = self._column, "", False
        lines = _Lines(pieces)
        for line in lines:
            # Files that were put together may have a mark in the middle.
            line = line.strip().lstrip("\ufeff")
            if not line:
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                raise CorpusError(self._no_object(row, line, lines.number))
            if not keys:
                what = f"the keys of line {lines.number} of {self._name}"
                keys = f"{what} are {_listing(list(row))}"
                names = list(row)
                if key is None or len(_alike(names, key)) == 1:
                    key = names[self._choose(names, what)]
                self._look(names)
                self._chosen = key
            found = found or (key is not None and key in row)
            yield self._text(row.get(key or ""), key or "", lines.number)
        if keys and not found:
            raise CorpusError(f"{keys}; there is no {self._column!r} among them, nor in a later line")

    def _no_object(self, row: Any, line: str, number: int) -> str:
        told = f"{self._name} is not JSON lines: line {number} is not a JSON object"
        if isinstance(row, list) and line.startswith("[{"):
            return f"{told} but a list of them: write each of its objects on a line of its own"
        return told

    def _text(self, value: Any, key: str, number: int) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            kind = "an object" if isinstance(value, dict) else type(value).__name__
            raise CorpusError(f"{self._name}: {key!r} of line {number} is {kind}; it must be a string")
        return value

    def _look(self, names: Sequence[str]) -> None:
        """Look at what kind of table the names tell of."""
        lowered = {_folded(name) for name in names}
        self.chat_log = bool(lowered & _AUTHORS and lowered & _TIMES)

    def _choose(self, names: list[str], what: str, *, numbers: bool = False) -> int:
        """Return the place of the column to read."""
        self._look(names)
        told = f"{what} are {_listing([name.strip() for name in names])}"
        if self._column is None:
            if len(names) == 1:
                return 0
            raise CorpusError(f"{told}; say which one holds the text", advice=["give --column NAME"])
        found = _alike(names, self._column)
        if len(found) == 1:
            return found[0]
        number = int(self._column) if self._column.isdecimal() and len(self._column) < 9 else 0
        if not found and numbers and 1 <= number <= len(names):
            return number - 1
        if found:
            raise CorpusError(
                f"{told}; {len(found)} of them are {self._column!r}",
                advice=["say which by its number from 1: --column NUMBER"] if numbers else (),
            )
        raise CorpusError(f"{told}; there is no {self._column!r} among them")


JSON_LINES = (".jsonl", ".ndjson")
"""How the names of files end that hold a JSON object a line."""


class _Lines:
    r"""Lines with their line breaks (``\r``, ``\n`` or both): others may stand within a field.

    Attributes:
        number: of the line that was returned last.
    """

    def __init__(self, pieces: Iterable[str]) -> None:
        self.number = 0
        self._lines = self._split(pieces)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        return line

    def _split(self, pieces: Iterable[str]) -> Iterator[str]:
        rest: list[str] = []
        held = ""
        for piece in pieces:
            # A carriage return at the end may be half a line break.
            text = held + piece
            held = "\r" if text.endswith("\r") else ""
            text = text.removesuffix("\r") if held else text
            begin = 0
            for found in _LINE_BREAK.finditer(text):
                yield "".join([*rest, text[begin : found.end()]])
                rest.clear()
                begin = found.end()
            if begin < len(text):
                rest.append(text[begin:])
        if rest or held:
            yield "".join([*rest, held])


def _alike(names: Sequence[str], wanted: str) -> list[int]:
    """Return the places of a name: as it is written or, if that is none, whatever its case and blanks."""
    exact = [at for at, name in enumerate(names) if name.strip() == wanted.strip()]
    return exact or [at for at, name in enumerate(names) if _folded(name) == _folded(wanted)]


def _folded(name: str) -> str:
    return " ".join(name.replace("\ufeff", "").split()).casefold()


def _unquoted(record: str) -> str:
    """Return a row of one column; what only begins with a quote keeps it."""
    found = _WHOLE_QUOTED.match(record)
    return found[1].replace('""', '"') if found else record.strip("\r\n")


def _listing(names: Sequence[str]) -> str:
    shown = ", ".join(_short(name) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _short(name: str) -> str:
    return repr(name if len(name) <= 40 else f"{name[:40]}…")
