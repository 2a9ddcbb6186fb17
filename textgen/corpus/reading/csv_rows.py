"""The text column of a CSV file, row by row.

CSV files are often not quoted correctly. Where the meaning is clear, the row is kept whole and a note
tells the user.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from textgen.corpus.reading.table_columns import choose, is_chat_log, quoted
from textgen.corpus.reading.table_lines import Lines
from textgen.corpus.reading.tables import Table
from textgen.errors import CorpusError

_DELIMITERS = ",;\t|"
_LONGEST_FIELD = 64 << 20
_LONGEST_HEADING = 1 << 16

_QUOTED = re.compile(r'"[^"]*(?:""[^"]*)*"')
_WHOLE_QUOTED = re.compile(r'[ \t]*"([^"]*(?:""[^"]*)*)"[\s,;]*\Z')
# Spreadsheets write this line before the heading to name the delimiter.
_DELIMITER_LINE = re.compile(r"sep=(.)\s*\Z", re.I)


class CsvTable(Table):
    """Reads one column of a CSV file."""

    def __init__(self, name: str, column: str | None) -> None:
        """Start before the heading."""
        super().__init__(name, column)
        self._heading = ""
        self._one_column = False
        self._wide_rows = 0

    def notes(self) -> list[str]:
        """Return what a user should know, after the last row."""
        name = PurePath(self._name).name
        notes = []
        if self._one_column and self._column is None:
            notes.append(f"the first row of {name}, {quoted(self._heading)}, is its heading and no text")
        if self._wide_rows:
            notes.append(
                f"{name} has {self._wide_rows:,} rows with more fields than its heading; their commas are "
                f"read as part of the column {quoted(self.chosen)}"
            )
        return notes + super().notes()

    def _rows(self, lines: Lines) -> Iterator[str]:
        # The csv module's own limit, 128 KiB, is less than a chapter. It can only be set for the process.
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_FIELD))
        delimiters = "\t" if PurePath(self._name).suffix.lower() == ".tsv" else _DELIMITERS
        heading = self._first_record(lines)
        announced = _DELIMITER_LINE.match(heading)
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
            # If the heading has a space after each comma, so have the rows: it is not part of their fields.
            spaced = f"{delimiter} " in bare
            names = next(
                csv.reader(heading.splitlines(keepends=True), delimiter=delimiter, skipinitialspace=True)
            )
        self.chat_log = is_chat_log(names)
        at = choose(names, self._column, f"the columns of {self._name}", numbers=True)
        self.chosen = names[at].strip()
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

    def _first_record(self, lines: Lines) -> str:
        """Return the heading. It may contain line breaks inside quotes."""
        record = ""
        for line in lines:
            record += line
            if record.isspace():
                record = ""
            elif record.count('"') % 2 == 0 or len(record) > _LONGEST_HEADING:
                break
        return record

    def _single_fields(self, lines: Lines) -> Iterator[str]:
        """Return the rows of a table with one column: there is no delimiter, so every comma is text."""
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
        """Return the text of a row. Fields beyond the heading come from unquoted commas in the text."""
        more = len(row) - width
        while more > 0 and not row[width + more - 1].strip():
            more -= 1
        if more > 0:
            self._wide_rows += 1
            return delimiter.join(row[at : at + more + 1])
        return row[at] if at < len(row) else ""


def _unquoted(record: str) -> str:
    """Return a row of one column without its quotes; a row that only begins with a quote keeps it."""
    found = _WHOLE_QUOTED.match(record)
    return found[1].replace('""', '"') if found else record.strip("\r\n")
