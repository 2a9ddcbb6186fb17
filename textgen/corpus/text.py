r"""From the bytes that someone uploads to clean text.

Clean text is Unicode in normal form C with ``\n`` as its only line break and without a byte-order
mark. What cannot be read that way is refused with the byte at fault, never guessed at. This module
must not import NumPy or Keras: the bot reads uploads with it.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from textgen.errors import CorpusError

MAXIMUM_BYTES = 1 << 30
"""The largest corpus file that is read, in bytes."""

_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    # UTF-32's little-endian mark begins with UTF-16's, so it is tried first.
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)

_SIGNATURES = (
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"{\\rtf", "an RTF document"),
)

_LINE_BREAKS = re.compile("\r\n|\r|\u2028|\u2029|\x85|\x0b|\x0c")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_MAXIMUM_CONTROL_SHARE = 0.001


def decode(data: bytes, *, name: str) -> str:
    r"""Return the clean text of a file's bytes.

    UTF-8 is expected; a byte-order mark may announce UTF-8, UTF-16 or UTF-32.

    Args:
        data: the whole file.
        name: what the file is called in an error's text.

    Raises:
        CorpusError: the file is empty, binary, or not valid in its encoding; the text gives the
            offset of the first byte at fault.
    """
    if not data:
        raise CorpusError(f"{name} is empty (0 bytes); it needs some text")
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            raise CorpusError(f"{name} is {kind}, not plain text; save it as a .txt file in UTF-8")
    encoding, start = "utf-8", 0
    for mark, announced in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            encoding, start = announced, len(mark)
            break
    if encoding == "utf-8" and (at := data.find(b"\0")) >= 0:
        raise CorpusError(
            f"{name} has a NUL byte at offset {at}: it is binary, or UTF-16 without a byte-order mark; "
            "save it as plain text in UTF-8"
        )
    try:
        text = data[start:].decode(encoding)
    except UnicodeDecodeError as error:
        at = start + error.start
        raise CorpusError(
            f"{name} is not valid {encoding.upper()}: byte 0x{data[at]:02X} at offset {at}; save it as UTF-8"
        ) from None
    return clean(text, name=name)


def clean(text: str, *, name: str) -> str:
    r"""Return text in normal form C with ``\n`` line breaks and no control characters but ``\t``.

    Raises:
        CorpusError: nothing but white space is there, or so many control characters that it must be binary.
    """
    text = _LINE_BREAKS.sub("\n", text)
    controls = len(_CONTROLS.findall(text))
    if controls > max(1, _MAXIMUM_CONTROL_SHARE * len(text)):
        raise CorpusError(
            f"{name} has {controls:,} control characters: it is binary; upload plain text in UTF-8"
        )
    if controls:
        text = _CONTROLS.sub("", text)
    text = unicodedata.normalize("NFC", text)
    if not text.strip():
        raise CorpusError(f"{name} holds only white space; it needs some text")
    return text


def read(path: Path) -> str:
    """Return the clean text of a file.

    Raises:
        CorpusError: the file is absent, unreadable, larger than `MAXIMUM_BYTES`, or not text.
    """
    try:
        size = path.stat().st_size
        if size > MAXIMUM_BYTES:
            raise CorpusError(f"{path} has {size:,} bytes; at most {MAXIMUM_BYTES:,} are read")
        data = path.read_bytes()
    except FileNotFoundError:
        raise CorpusError(f"{path} is not there; a corpus is a text file, for example input.txt") from None
    except IsADirectoryError:
        raise CorpusError(
            f"{path} is a folder; a corpus is a text file, for example {path}/input.txt"
        ) from None
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror}") from None
    return decode(data, name=str(path))


def split_for_validation(text: str, share: float) -> tuple[str, str]:
    """Cut the last part of a text off for validation, at a line break where one is near.

    A contiguous end is held out, not scattered lines: neighbouring lines share so much that a
    model would be tested on what it has seen.

    Args:
        text: the whole clean text.
        share: the part to hold out, between 0 (nothing) and 0.5.

    Returns:
        The training text and the validation text; together they are the whole text.
    """
    if share <= 0:
        return text, ""
    cut = len(text) - max(1, round(len(text) * share))
    reach = max(1, len(text) // 50)
    for separator in ("\n\n", "\n"):
        at = text.find(separator, cut, cut + reach)
        if at >= 0:
            cut = at + len(separator)
            break
    return text[:cut], text[cut:]


def line_starts(text: str, *, count: int = 50, longest: int = 60) -> list[str]:
    """Return up to ``count`` beginnings of lines, spread evenly over the text, as seeds for sampling.

    A line is cut after a word so that it has at most ``longest`` characters.
    """
    lines = [line.strip() for line in text.splitlines()]
    lines = list(dict.fromkeys(line for line in lines if line))
    if not lines:
        return []
    step = max(1, len(lines) // count)
    starts = []
    for line in lines[::step][:count]:
        cut = line[:longest]
        if len(line) > longest and " " in cut:
            cut = cut.rsplit(" ", 1)[0]
        starts.append(cut)
    return starts
