"""Decoding: each file has one encoding, given by its first bytes or by the user, and never guessed.

An error names the offset of the first invalid byte, and may suggest another encoding. This module must not
import NumPy or Keras: the bot reads uploads with it.
"""

from __future__ import annotations

import codecs
import encodings
from collections.abc import Iterable, Iterator
from typing import Literal

from textgen.argument_checks import check_choice, checked_text, shown
from textgen.errors import CorpusError, SettingsError, translatable

ErrorPolicy = Literal["strict", "replace"]
ERROR_POLICIES: dict[str, ErrorPolicy] = {"strict": "strict", "replace": "replace"}

DEFAULT = "utf-8"
_ISO_8859 = "iso8859"
_LONGEST_MARK = 6  # also the length of the longest signature below
_SUGGESTION_BYTES = 1 << 16

_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    # UTF-32's little-endian mark begins with UTF-16's, so it comes first.
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)

_SIGNATURES = (
    (b"%PDF-", translatable("a PDF document")),
    (b"PK\x03\x04", translatable("a ZIP archive or an office document")),
    (b"\x89PNG", translatable("a PNG picture")),
    (b"\xff\xd8\xff", translatable("a JPEG picture")),
    (b"{\\rtf", translatable("an RTF document")),
    (b"\xd0\xcf\x11\xe0", translatable("an old office document")),
    (b"GIF8", translatable("a GIF picture")),
    (b"RIFF", translatable("a picture, a sound or a film")),
    (b"ID3", translatable("an MP3 sound")),
    (b"OggS", translatable("an Ogg sound")),
    (b"SQLite format 3\x00", translatable("an SQLite database")),
    (b"PAR1", translatable("a Parquet table")),
    (b"\x7fELF", translatable("a program")),
    (b"MZ\x90\x00", translatable("a program")),
)
_COMPRESSED = (
    (b"\x1f\x8b", translatable("a gzip archive"), "gunzip"),
    (b"BZh", translatable("a bzip2 archive"), "bunzip2"),
    (b"\xfd7zXZ\x00", translatable("an xz archive"), "unxz"),
    (b"\x28\xb5\x2f\xfd", translatable("a Zstandard archive"), "unzstd"),
    (b"7z\xbc\xaf\x27\x1c", translatable("a 7-Zip archive"), "7z x"),
    (b"Rar!\x1a\x07", translatable("a RAR archive"), "unrar x"),
)

# The encodings of most plain text files. With all of its hundred encodings, charset-normalizer finds a match
# for a single é in any of them.
_USUAL = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "mac_roman"),
    *("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "utf_16_le", "utf_16_be"),
)


_NUL = (
    translatable(
        "{name} has a NUL byte at offset {offset}: it is binary, or UTF-16 without a byte-order mark; "
        "save it as plain text in UTF-8"
    ),
    translatable(
        "{name} has a NUL byte at offset {offset}: it is binary, or UTF-16 without a byte-order mark "
        "(it reads as {likely}); save it as plain text in UTF-8"
    ),
)
_NOT_VALID = (
    translatable(
        "{name} is not valid {encoding}: byte 0x{byte:02X} at offset {offset}; save it as plain text in UTF-8"
    ),
    translatable(
        "{name} is not valid {encoding}: byte 0x{byte:02X} at offset {offset} (it reads as {likely}); "
        "save it as plain text in UTF-8"
    ),
)


def detect(head: bytes, *, name: str) -> tuple[str, int]:
    """Return a file's encoding and the length of its byte-order mark.

    Args:
        head: the first bytes of the file, at least six if it has so many.
        name: name of the file, for the error's message.

    Raises:
        CorpusError: the file is empty, or begins like a picture, a document or an archive.
    """
    if not head:
        raise CorpusError("{name} is empty (0 bytes); it needs some text", name=name)
    for signature, kind, command in _COMPRESSED:
        if head.startswith(signature):
            raise CorpusError(
                "{name} is {kind}; compressed files are not read: unpack it first ({command})",
                name=name,
                kind=kind,
                command=command,
            )
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            raise CorpusError(
                "{name} is {kind}, not plain text; save it as a .txt file in UTF-8", name=name, kind=kind
            )
    for mark, announced in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return announced, len(mark)
    return DEFAULT, 0


def check_name(encoding: str) -> str:
    """Return the standard name of an encoding that a user has named.

    Raises:
        SettingsError: Python knows no text encoding of that name.
    """
    try:
        # Only Python's own codecs count: a package may have registered a codec for any name, as
        # future-typing does.
        found = encodings.search_function(checked_text(encoding, "encoding").lower())
        if found is None:
            raise LookupError
        # str.encode refuses codecs from bytes to bytes (hex, zip).
        "a".encode(found.name)
    except (LookupError, ValueError):
        raise SettingsError(
            f"the encoding is {shown(encoding)}, which is none; it can be utf-8, utf-16, windows-1252, …"
        ) from None
    return found.name


def check_policy(errors: str) -> ErrorPolicy:
    """Return the policy for bytes that the encoding does not allow.

    Raises:
        SettingsError: the policy is not known.
    """
    check_choice("encoding_errors", errors, ERROR_POLICIES)
    return ERROR_POLICIES[errors]


class Decoder:
    """Decodes one file piece by piece. Errors name the offset of the first invalid byte.

    Args:
        name: name of the file, for the error's message.
        encoding: the encoding that the user gives; None to detect it from the first bytes.
        errors: "replace" puts U+FFFD for what is not valid; "strict" refuses it.
        flags: whether errors may name the command's flags as the way out.
        alone: whether those flags would be for this file alone.

    Raises:
        SettingsError: Python knows no text encoding of that name.
    """

    def __init__(
        self,
        name: str,
        encoding: str | None = None,
        errors: ErrorPolicy = "strict",
        *,
        flags: bool = False,
        alone: bool = True,
    ) -> None:
        """Start before the first byte."""
        self.encoding = "" if encoding is None else check_name(encoding)
        self._name, self._forced, self._errors, self._flags = name, encoding is not None, errors, flags
        self._alone = alone
        self._decoder: codecs.IncrementalDecoder | None = None
        self._head = self._waiting = b""
        self._fed = 0
        self._begun = False

    def decode(self, data: bytes, *, final: bool = False) -> str:
        """Return the characters that are complete after the next bytes.

        Args:
            data: the next bytes of the file.
            final: whether these are the last bytes.

        Raises:
            CorpusError: see `detect`; or a byte is not valid, or NUL where the encoding is UTF-8.
        """
        if self._decoder is None:
            data = self._waiting + data
            if len(data) < _LONGEST_MARK and not final:
                self._waiting = data
                return ""
            announced, mark = detect(data, name=self._name)
            self._head = data[:_SUGGESTION_BYTES]
            if not self._forced:
                self.encoding = announced
                data, self._fed = data[mark:], mark
            self._decoder = codecs.getincrementaldecoder(self.encoding)(self._errors)
        if not self._forced and self.encoding == DEFAULT and (at := data.find(b"\0")) >= 0:
            raise self._refused(_NUL, data, offset=self._fed + at)
        self._fed += len(data)
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            # The decoder has put the bytes that it kept before the new ones.
            at = self._fed - len(error.object) + error.start
            byte = error.object[error.start]
            raise self._refused(
                _NOT_VALID, data, encoding=self.encoding.upper(), byte=byte, offset=at
            ) from None
        if text and not self._begun:
            self._begun = True
            text = text.removeprefix("\ufeff")
        # In ISO-8859 this byte is not a line break: see `textgen.unicode.characters`.
        return text.replace("\x85", "…") if self.encoding.startswith(_ISO_8859) else text

    def decode_all(self, blocks: Iterable[bytes]) -> Iterator[str]:
        """Yield the text of a whole file.

        Args:
            blocks: all bytes of the file, with any cuts.

        Raises:
            CorpusError: see `decode`.
        """
        for block in blocks:
            yield self.decode(block)
        yield self.decode(b"", final=True)

    def _refused(self, lines: tuple[str, str], data: bytes, **values: str | int) -> CorpusError:
        """Return the error with the first message, or with the second if there is a suggestion."""
        likely = None if self._forced else suggest(self._head, data)
        advice = ["give --encoding-errors replace"]
        if likely:
            values["likely"] = likely
            every = "" if self._alone else " if every file is in it"
            advice.insert(0, "give --encoding {likely}" + every)
        return CorpusError(
            lines[bool(likely)], advice=advice if self._flags else (), name=self._name, **values
        )


def suggest(head: bytes, near: bytes = b"") -> str | None:
    """Return the likely encoding of bytes, or None. It is a guess that a person must check.

    Args:
        head: the beginning of the file.
        near: bytes from the invalid one on.
    """
    # Slow to import, and needed only for errors.
    from charset_normalizer import from_bytes

    at = next((place for place, byte in enumerate(near) if byte >= 0x80), 0)
    sample = head + near[max(0, at - _SUGGESTION_BYTES // 2) : at + _SUGGESTION_BYTES // 2]
    sample = sample[: len(sample) // 4 * 4]  # whole units of UTF-16
    matches = list(from_bytes(sample, cp_isolation=list(_USUAL)))
    if not matches or (len(matches) > 1 and not matches[0].coherence):
        return None
    name = matches[0].encoding
    if any("cp1252" in match.could_be_from_charset for match in matches if match.chaos == matches[0].chaos):
        name = "cp1252"  # by far the most common of the encodings that fit
    return name.replace("cp12", "windows-12").replace("_", "-")
