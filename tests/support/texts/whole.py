"""What the library does with a text that arrives in pieces, done with a whole one."""

from __future__ import annotations

from textgen.corpus import CorpusStats, LineStarts, Measurer, clean
from textgen.corpus.reading.encoding import Decoder
from textgen.corpus.reading.reader import Piece, divide


def decode(data: bytes, name: str) -> str:
    """Read a file's bytes as an upload is read."""
    return clean(Decoder(name).decode(data, final=True), name=name)


def measure(text: str) -> CorpusStats:
    measurer = Measurer()
    measurer.add(text)
    return measurer.stats()


def line_starts(text: str) -> list[str]:
    found = LineStarts()
    found.add(text)
    return found.starts()


def split_at_end(text: str, share: float) -> tuple[str, str]:
    """Hold out the end of a text, of which a byte is a character."""
    parts = list(divide([Piece(text, 0, len(text))], len(text), share))
    training = "".join(part for held_out, part in parts if not held_out)
    return training, text[len(training) :]
