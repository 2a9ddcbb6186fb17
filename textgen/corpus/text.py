r"""From the bytes that someone uploads to clean text.

Clean text is Unicode in normal form C with ``\n`` as its only line break and without a byte-order
mark. What cannot be read that way is refused with the byte at fault, never guessed at. This module
must not import NumPy or Keras: the bot reads uploads with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from textgen.corpus.cuts import last_safe_cut
from textgen.corpus.encoding import Decoder, ErrorPolicy
from textgen.errors import CorpusError
from textgen.normal_forms import normalize

MAXIMUM_BYTES = 1 << 30
"""The largest corpus that is read, in bytes."""

NORMALIZATION: Literal["NFC"] = "NFC"

_LINE_BREAKS = re.compile("\r\n|\r|\u2028|\u2029|\x85|\x0b|\x0c")
_LINE_BREAK_SYMBOLS = "\r\u2028\u2029\x85\x0b\x0c"
# In UTF-8 no longer character holds one of these bytes.
_CONTROL_BYTES = bytes(range(9)) + bytes(range(14, 32)) + b"\x7f"
_MAXIMUM_CONTROL_SHARE = 0.001
_LONGEST_HELD = 1 << 20


def decode(
    data: bytes, *, name: str, encoding: str | None = None, encoding_errors: ErrorPolicy = "strict"
) -> str:
    r"""Return the clean text of a file's bytes.

    UTF-8 is expected; a byte-order mark may announce UTF-8, UTF-16 or UTF-32.

    Args:
        data: the whole file.
        name: what the file is called in an error's text.
        encoding: the encoding to read it in, whatever its first bytes say.
        encoding_errors: "replace" puts U+FFFD for what is not valid.

    Raises:
        CorpusError: the file is empty, binary, or not valid in its encoding; the text gives the
            offset of the first byte at fault.
    """
    return clean(Decoder(name, encoding, encoding_errors).decode(data, final=True), name=name)


def clean(text: str, *, name: str) -> str:
    r"""Return text in normal form C with ``\n`` line breaks and no control characters but ``\t``.

    Raises:
        CorpusError: nothing but white space is there, or so many control characters that it must be binary.
    """
    return "".join(clean_pieces([text], name=name))


def clean_pieces(pieces: Iterable[str], *, name: str) -> Iterator[str]:
    """Clean a text that comes in pieces, wherever it was cut; together they are what `clean` returns.

    Yields:
        Clean pieces, cut anew where neither a grapheme nor a line break is torn and where lower-casing
        and composing a piece do not depend on the next one: after a line break where there is one. Of a
        grapheme that is longer than a million characters only the first ones are held together.

    Raises:
        CorpusError: see `clean`; it comes after the last piece where it depends on the whole.
    """
    rest = ""
    characters = controls = 0
    blank = True
    for piece in pieces:
        held = rest + piece
        cut = last_safe_cut(held) or _forced_cut(held)
        rest = held[cut:]
        if not cut:
            continue
        text, removed = _normalize(held[:cut])
        characters, controls = characters + cut, controls + removed
        blank = blank and not text.strip()
        yield text
    text, removed = _normalize(rest)
    characters, controls = characters + len(rest), controls + removed
    if controls > max(1, _MAXIMUM_CONTROL_SHARE * characters):
        raise CorpusError(
            "{name} has {controls:,} control characters: it is binary; give plain text in UTF-8",
            name=name,
            controls=controls,
        )
    if blank and not text.strip():
        raise CorpusError("{name} holds only white space; it needs some text", name=name)
    if text:
        yield text


def _forced_cut(held: str) -> int:
    """Return where a text is cut that no place is right for: marks or flags without end are no writing."""
    if len(held) < _LONGEST_HELD:
        return 0
    return len(held) - held.endswith("\r")


def normalize_seed(text: str) -> str:
    """Return a seed text as a corpus' text would have been read: NFC, its line breaks, no controls.

    A text of any kind is accepted, also an empty one.
    """
    return _normalize(text)[0]


def _normalize(text: str) -> tuple[str, int]:
    """Return clean text and how many control characters were taken out."""
    # Both patterns and the normal form are slow where nothing is to be done, which is nearly everywhere.
    if any(symbol in text for symbol in _LINE_BREAK_SYMBOLS):
        text = _LINE_BREAKS.sub("\n", text)
    data = text.encode("utf-8", "surrogatepass")
    kept = data.translate(None, _CONTROL_BYTES)
    if len(kept) < len(data):
        text = kept.decode("utf-8", "surrogatepass")
    if not text.isascii():
        text = normalize(NORMALIZATION, text)
    return text, len(data) - len(kept)


def read(path: Path, *, encoding: str | None = None, encoding_errors: ErrorPolicy = "strict") -> str:
    """Return the clean text of a file.

    Raises:
        CorpusError: the file is absent, unreadable, larger than `MAXIMUM_BYTES`, or not text.
    """
    try:
        size = path.stat().st_size
        if size > MAXIMUM_BYTES:
            raise CorpusError(f"{path} has {size:,} bytes; at most {MAXIMUM_BYTES:,} are read")
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None
    return clean(
        Decoder(str(path), encoding, encoding_errors, flags=True).decode(data, final=True), name=str(path)
    )


def unreadable(path: Path, error: OSError) -> CorpusError:
    """Return what a file that the system does not give is answered with."""
    if isinstance(error, FileNotFoundError):
        return CorpusError(f"{path} is not there; a corpus is a text file, for example input.txt")
    if isinstance(error, IsADirectoryError):
        return CorpusError(f"{path} is a folder; a corpus is a text file, for example {path}/input.txt")
    return CorpusError(f"{path} cannot be read: {error.strerror}")
