"""The text of a table: one column of a CSV file, or one key of JSON lines.

A line break separates two rows; a blank line separates rows of several lines. This module must not
import NumPy or Keras.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import PurePath

from textgen.corpus.reading.table_columns import quoted
from textgen.corpus.reading.table_lines import Lines
from textgen.errors import CorpusError

_BATCH_CHARACTERS = 1 << 20
_SEVERAL_LINES = re.compile("[\r\n\x0b\x0c\x85\u2028\u2029]")


class Table(ABC):
    """Reads the text of a table that arrives in pieces.

    Args:
        name: name of the file, for messages.
        column: the column or key that holds the text, or a column's number from 1; None if there must be
            only one.

    Attributes:
        chosen: name of the column or key that is read; "" before the first row has been read.
        chat_log: whether the columns are those of a chat export.
    """

    def __init__(self, name: str, column: str | None) -> None:
        """Start before the first row."""
        self.chosen = ""
        self.chat_log = False
        self._name, self._column = name, column
        self._empty_rows = 0

    def notes(self) -> list[str]:
        """Return what a user should know, after the last row."""
        if not self._empty_rows:
            return []
        return [f"{PurePath(self._name).name} has {self._empty_rows:,} rows without text"]

    @abstractmethod
    def _rows(self, lines: Lines) -> Iterator[str]:
        """Return the text of every row; "" where a row has none.

        Raises:
            CorpusError: the lines are no such table, or it has no such column.
        """

    def read(self, pieces: Iterable[str]) -> Iterator[str]:
        """Return the text of the rows, in batches of about a million characters.

        Raises:
            CorpusError: the file is no such table, has no such column, or no text in it.
        """
        batch: list[str] = []
        size, several = 0, False
        first = True
        for text in self._rows(Lines(pieces)):
            text = text.strip("\r\n")
            if not text or text.isspace():
                self._empty_rows += 1
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
            where = f" in the column {quoted(self.chosen)}" if self.chosen else ""
            raise CorpusError(
                f"{self._name} holds only white space{where}: {self._empty_rows:,} rows without text"
            )
        if batch:
            yield "".join([*batch, "\n"])
