"""Standard input, output and error for the commands, which keep working when one of these fails.

Standard output can lose its reader, be on a full disk, be closed, or have an encoding that lacks some
characters. Standard error is best effort: output that it does not accept is dropped.
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
    """Standard output can no longer be written.

    This is no `OSError`, because click and rich would handle one in their own way.

    Attributes:
        reader_left: whether the reader closed the pipe, which is no error.
    """

    def __init__(self, error: OSError) -> None:
        """Build the message from the error of the system."""
        closed = error.errno == errno.EBADF
        super().__init__(
            "standard output is closed" if closed else f"standard output cannot be written: {error.strerror}"
        )
        self.reader_left = error.errno == errno.EPIPE


class _Raw(io.RawIOBase):
    """A file descriptor; after the first error, everything that is written is dropped."""

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
                # Another program has made the shared descriptor non-blocking.
                select.select([], [self._descriptor], [])


class _Text(io.TextIOWrapper):
    """Text on a raw descriptor; if it can only show ASCII, other characters are escaped.

    Libraries are told that an ASCII stream is UTF-8, since some write UTF-8 bytes to an ASCII stream.

    Attributes:
        shows: the encoding of the characters that can be shown.
        muted: whether everything that is written is dropped.
    """

    def __init__(self, raw: _Raw, encoding: str, *, by_line: bool) -> None:
        self.muted = False
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
        if self.muted:
            return len(text)
        if self._ascii:
            text = text.encode("ascii", _HANDLER).decode("ascii", "surrogateescape")
        return super().write(text)


def prepare() -> None:
    """Replace the standard streams by ones that survive errors; call this once, when the process starts."""
    codecs.register_error(_HANDLER, _shown)
    closed = _occupy()
    encodings = [getattr(stream, "encoding", None) or "utf-8" for stream in (sys.stdout, sys.stderr)]
    # Descriptor 2 is silenced while native code writes its greetings there; this copy stays visible.
    told = os.dup(2)
    sys.stdout = _Text(_Raw(1, closed.get(1), forgiving=False), encodings[0], by_line=os.isatty(1))
    sys.stderr = _Text(_Raw(told, closed.get(2), forgiving=True), encodings[1], by_line=True)
    if sys.stdin is None or 0 in closed:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 -- a descriptor, for good
    elif isinstance(sys.stdin, io.TextIOWrapper):
        # Other programs send JSON, which is UTF-8 in every locale.
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")


def mute() -> None:
    """Drop what is written to standard error from now on: notes and progress, but no errors."""
    if isinstance(sys.stderr, _Text):
        sys.stderr.muted = True


def unmute() -> None:
    """Show again what is written to standard error: an error, after `mute`."""
    if isinstance(sys.stderr, _Text):
        sys.stderr.muted = False


def flush() -> None:
    """Write out what is still buffered.

    Raises:
        OutputError: standard output cannot be written.
    """
    sys.stdout.flush()
    sys.stderr.flush()


def json_line(data: Any) -> str:
    """Return data as a line of JSON, always valid; non-ASCII characters are escaped only if necessary."""
    text = json.dumps(finite(data), ensure_ascii=False, allow_nan=False)
    shows = getattr(sys.stdout, "shows", "utf-8")
    try:
        text.encode("utf-8" if shows == "utf-8" else "ascii")
    except UnicodeEncodeError:
        return json.dumps(finite(data), allow_nan=False)
    return text


def _occupy() -> dict[int, OSError]:
    """Open closed descriptors 0 to 2: a file with such a number could be overwritten by native code."""
    closed = {}
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError as error:
            closed[descriptor] = error
            os.open(os.devnull, os.O_RDWR)
    return closed


def _shown(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return surrogate-escaped bytes unchanged, and escape characters that the encoding lacks."""
    if isinstance(error, UnicodeEncodeError) and not error.encoding.startswith(("utf-16", "utf-32")):
        try:
            return codecs.lookup_error("surrogateescape")(error)
        except UnicodeError:
            pass
    return codecs.lookup_error("backslashreplace")(error)
