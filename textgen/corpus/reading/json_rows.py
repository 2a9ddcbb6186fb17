"""The text key of JSON lines, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from textgen.corpus.reading.table_columns import choose, is_chat_log, listing, matches
from textgen.corpus.reading.table_lines import Lines
from textgen.corpus.reading.tables import Table
from textgen.errors import CorpusError

JSON_LINES = (".jsonl", ".ndjson")
"""Extensions of files with one JSON object a line."""


class JsonTable(Table):
    """Reads one key of each line's object."""

    def _rows(self, lines: Lines) -> Iterator[str]:
        key, keys, found = self._column, "", False
        for line in lines:
            # A file that was joined from several has byte-order marks in the middle.
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
                names = list(row)
                keys = f"{what} are {listing(names)}"
                self.chat_log = is_chat_log(names)
                # A key that the first row lacks may come in a later one.
                if key is None or len(matches(names, key)) == 1:
                    key = names[choose(names, key, what)]
                self.chosen = key
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
