"""Standard input, output and error as the commands use them: whatever becomes of them, no command breaks.

The reader of standard output may leave, its disk may be full, it may be closed, and it may know fewer
characters than a text has. Of standard error nothing is expected: what it does not take is dropped.
"""

from __future__ import annotations

import codecs
import errno
import io
import json
import os
import select
import sys
from typing import Any

from textgen.training.reporting.events import finite

_HANDLER = "textgen.shown"


class OutputError(Exception):
    """Standard output takes no more.

    Not an `OSError`, which libraries on the way would handle in their own manner.

    Attributes:
        reader_left: whether its reader has seen enough, which is no error.
    """

    def __init__(self, error: OSError) -> None:
        """Say why."""
        closed = error.errno == errno.EBADF
        super().__init__(
            "standard output is closed" if closed else f"standard output cannot be written: {error.strerror}"
        )
        self.reader_left = error.errno == errno.EPIPE


class _Raw(io.RawIOBase):
    """A descriptor that is written to until it refuses, and afterwards takes everything and drops it."""

    def __init__(self, descriptor: int, error: OSError | None, *, forgiving: bool) -> None:
        self._descriptor, self._error, self._forgiving = descriptor, error, forgiving
        self._told = False

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self._error is None:
            try:
                return self._written(data)
            except OSError as error:
                self._error = error
        if not (self._forgiving or self._told):
            self._told = True
            raise OutputError(self._error)
        return len(data)

    def _written(self, data: Any) -> int:
        while True:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                # Another program made the shared descriptor non-blocking.
                select.select([], [self._descriptor], [])


class _Text(io.TextIOWrapper):
    """Text on a raw descriptor; where only ASCII can be shown, the rest is escaped.

    To libraries ASCII is called UTF-8, which it is a part of: some would write their UTF-8 there otherwise.

    Attributes:
        shows: the encoding of what can be shown.
    """

    def __init__(self, raw: _Raw, encoding: str, *, by_line: bool) -> None:
        self.shows = codecs.lookup(encoding).name
        self._ascii = self.shows == "ascii"
        super().__init__(
            io.BufferedWriter(raw),
            encoding="utf-8" if self._ascii else encoding,
            errors=_HANDLER,
            newline="",
            line_buffering=by_line,
        )

    def write(self, text: str) -> int:
        if self._ascii:
            text = text.encode("ascii", _HANDLER).decode("ascii", "surrogateescape")
        return super().write(text)


def prepare() -> None:
    """Put streams in place that can be written whatever happens; once, at the start of the process."""
    codecs.register_error(_HANDLER, _shown)
    closed = _occupy()
    encodings = [getattr(stream, "encoding", None) or "utf-8" for stream in (sys.stdout, sys.stderr)]
    # Native code greets on descriptor 2, and is silenced there while what is said here is still seen.
    told = os.dup(2)
    sys.stdout = _Text(_Raw(1, closed.get(1), forgiving=False), encodings[0], by_line=os.isatty(1))
    sys.stderr = _Text(_Raw(told, closed.get(2), forgiving=True), encodings[1], by_line=True)
    if sys.stdin is None or 0 in closed:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 -- a descriptor, for good
    elif isinstance(sys.stdin, io.TextIOWrapper):
        # What other programs send is JSON and therefore UTF-8, whatever the locale.
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")


def flush() -> None:
    """Write out what is still held.

    Raises:
        OutputError: standard output does not take it.
    """
    sys.stdout.flush()
    sys.stderr.flush()


def json_line(data: Any) -> str:
    """Return data as a line of JSON that standard output can show: valid always, and readable if possible."""
    text = json.dumps(finite(data), ensure_ascii=False, allow_nan=False)
    shows = getattr(sys.stdout, "shows", "utf-8")
    if shows == "utf-8" and text.isascii():
        return text
    try:
        text.encode("utf-8" if shows == "utf-8" else "ascii")
    except UnicodeEncodeError:
        return json.dumps(finite(data), allow_nan=False)
    return text


def _occupy() -> dict[int, OSError]:
    """Open what was closed, so that no file of ours gets its number and is written into by native code."""
    closed = {}
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError as error:
            closed[descriptor] = error
            os.open(os.devnull, os.O_RDWR)
    return closed


def _shown(error: UnicodeError) -> tuple[str | bytes, int]:
    """Give bytes of a file's name back as they were, and escape what the encoding does not have."""
    if isinstance(error, UnicodeEncodeError) and not error.encoding.startswith(("utf-16", "utf-32")):
        try:
            return codecs.lookup_error("surrogateescape")(error)
        except UnicodeError:
            pass
    return codecs.lookup_error("backslashreplace")(error)
