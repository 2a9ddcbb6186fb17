"""The text in a table: one column of a CSV file, or one key of JSON lines, row after row.

Rows are set apart by a line break; a row of several lines stands between blank lines. This module
must not import NumPy or Keras.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from textgen.errors import CorpusError

_DELIMITERS = ",;\t|"
_BATCH_CHARACTERS = 1 << 20
_LONGEST_FIELD = 64 << 20
_AUTHORS = {"author", "sender", "from", "user", "username", "user_name", "nick"}
_TIMES = {"timestamp", "date", "time", "created_at", "ts", "sent_at"}


class Table:
    """Reads the text of a table that comes in pieces.

    Args:
        name: what the file is called in an error's text.
        column: the column or key that holds the text; None where there is only one.

    Attributes:
        empty_rows: rows so far that hold no text.
        chat_log: whether the columns are those of a chat export.
    """

    def __init__(self, name: str, column: str | None) -> None:
        """Begin before the first row."""
        self.empty_rows = 0
        self.chat_log = False
        self._name, self._column = name, column

    def read(self, pieces: Iterable[str]) -> Iterator[str]:
        """Return the text of the rows, in batches.

        Raises:
            CorpusError: the file is no such table, or lacks the column.
        """
        rows = self._csv(pieces) if self._name.lower().endswith(".csv") else self._json_lines(pieces)
        batch: list[str] = []
        size, several = 0, False
        first = True
        for text in rows:
            text = text.strip("\r\n")
            if not text or text.isspace():
                self.empty_rows += 1
                continue
            now_several = "\n" in text or "\r" in text
            if not first:
                batch.append("\n\n" if several or now_several else "\n")
            batch.append(text)
            several, first = now_several, False
            size += len(text)
            if size >= _BATCH_CHARACTERS:
                yield "".join(batch)
                batch, size = [], 0
        if batch:
            yield "".join([*batch, "\n"])

    def _csv(self, pieces: Iterable[str]) -> Iterator[str]:
        # The module's own limit, 128 KiB, is less than a chapter; it can only be set for the process.
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_FIELD))
        lines = _lines(pieces)
        heading = next(lines, "")
        delimiter = max(_DELIMITERS, key=heading.count)
        names = next(csv.reader([heading], delimiter=delimiter), [])
        at = names.index(self._choose([name.strip() for name in names], f"the columns of {self._name}"))
        rows = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            for row in rows:
                if row:
                    yield row[at] if at < len(row) else ""
        except csv.Error as error:
            raise CorpusError(f"{self._name} is not valid CSV: line {rows.line_num + 1}: {error}") from None

    def _json_lines(self, pieces: Iterable[str]) -> Iterator[str]:
        key = self._column
        for number, line in enumerate(_lines(pieces), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                raise CorpusError(f"{self._name} is not JSON lines: line {number} is not a JSON object")
            if key is None or number == 1:
                key = self._choose(list(row), f"the keys of line {number} of {self._name}")
            yield self._text(row.get(key), key, number)

    def _text(self, value: Any, key: str, number: int) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            raise CorpusError(
                f"{self._name}: {key!r} of line {number} is {type(value).__name__}; it must be a string"
            )
        return value

    def _choose(self, names: list[str], what: str) -> str:
        """Return the column to read, and look at what kind of table the names tell of."""
        lowered = {name.lower() for name in names}
        self.chat_log = bool(lowered & _AUTHORS and lowered & _TIMES)
        shown = ", ".join(map(repr, names[:12]))
        if self._column is None:
            if len(names) == 1:
                return names[0]
            raise CorpusError(f"{what} are {shown}; say which one holds the text: --column NAME")
        if self._column not in names:
            raise CorpusError(f"{what} are {shown}; there is no {self._column!r} among them")
        return self._column


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    r"""Return lines, each with its ``\n``: other line breaks may stand within a field."""
    rest = ""
    for piece in pieces:
        *lines, last = piece.split("\n")
        if lines:
            yield f"{rest}{lines[0]}\n"
            for line in lines[1:]:
                yield f"{line}\n"
            rest = last
        else:
            rest += last
    if rest:
        yield rest
