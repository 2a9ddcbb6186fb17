r"""From the bytes of a file to clean text.

Clean text is Unicode in normal form C, with ``\n`` as its only line break and without invisible characters
(`textgen.unicode.characters`). A file that cannot be read in this way is refused; the error names the invalid
byte. This module must not import NumPy or Keras: the bot reads uploads with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from textgen.corpus.reading.cut_places import last_safe_cut
from textgen.corpus.reading.encoding import Decoder, ErrorPolicy
from textgen.errors import CorpusError
from textgen.unicode.characters import JOINERS, Dropped, visible
from textgen.unicode.normal_forms import normalize

MAXIMUM_BYTES = 1 << 30
"""The largest corpus that is read, in bytes."""

NORMALIZATION: Literal["NFC"] = "NFC"

_MAXIMUM_CONTROL_SHARE = 0.001
_LONGEST_HELD = 1 << 20
_MOST_PASSES = 3


def clean(text: str, *, name: str) -> str:
    r"""Return text in normal form C with ``\n`` line breaks and no invisible character except ``\t``.

    Raises:
        CorpusError: the text is only white space, or has so many control characters that it must be binary.
    """
    return "".join(clean_pieces([text], name=name))


def clean_pieces(pieces: Iterable[str], *, name: str, dropped: Dropped | None = None) -> Iterator[str]:
    """Clean a text that arrives in pieces with any cuts; the results together equal that of `clean`.

    Args:
        pieces: the text.
        name: name of the file, for the error's message.
        dropped: counts what is left out.

    Yields:
        Clean pieces, cut anew where neither a grapheme nor a line break is torn and where lower-casing
        and composing a piece do not depend on the next one: after a line break where there is one. Of a
        grapheme that is longer than a million characters only the first ones are held together.

    Raises:
        CorpusError: see `clean`; it comes after the last piece where it depends on the whole.
    """
    rest = ""
    characters = 0
    blank = True
    dropped = dropped or Dropped()
    for piece in pieces:
        held = rest + piece
        cut = last_safe_cut(held) or _forced_cut(held)
        rest = held[cut:]
        if not cut:
            continue
        text = _normalize(held[:cut], dropped)
        characters += cut
        blank = blank and not text.strip()
        yield text
    text = _normalize(rest, dropped)
    characters += len(rest)
    if dropped.controls > max(1, _MAXIMUM_CONTROL_SHARE * characters):
        raise CorpusError(
            "{name} has {controls:,} control characters: it is binary; give plain text in UTF-8",
            name=name,
            controls=dropped.controls,
        )
    if blank and not text.strip():
        raise CorpusError("{name} holds only white space; it needs some text", name=name)
    if text:
        yield text


def _forced_cut(held: str) -> int:
    """Return where to cut a text without a good place for it, such as an endless run of marks or flags."""
    if len(held) < _LONGEST_HELD:
        return 0
    return len(held) - held.endswith("\r")


def normal_form(text: str) -> str:
    """Return a text in the form of a corpus' text, without invisible characters.

    All text that is compared with a corpus or given to a model is brought into this form: prompts, stop
    sequences, texts to evaluate, samples to compare. Every text is accepted, also an empty one.
    """
    return _normalize(text, Dropped())


def _normalize(text: str, dropped: Dropped) -> str:
    """Return clean text, which this function returns as it is."""
    for _ in range(_MOST_PASSES):
        cleaned = normalize(NORMALIZATION, visible(text, dropped))
        # Normalization puts marks into another order, and whether a joiner stays depends on what precedes it.
        if cleaned == text or not any(joiner in cleaned for joiner in JOINERS):
            return cleaned
        text = cleaned
    return normalize(NORMALIZATION, text.translate(dict.fromkeys(map(ord, JOINERS))))


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
    """Return the error for a file that the system refuses to open."""
    if isinstance(error, FileNotFoundError):
        return CorpusError(f"{path} is not there; a corpus is a text file, for example input.txt")
    if isinstance(error, IsADirectoryError):
        return CorpusError(f"{path} is a folder; a corpus is a text file, for example {path}/input.txt")
    return CorpusError(f"{path} cannot be read: {error.strerror}")
