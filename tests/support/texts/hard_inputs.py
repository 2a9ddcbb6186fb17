"""Corpora that must be refused, each with one clear line: for the library, the shell and the bot alike."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

PROSE = (
    "It was a bright cold day, and the clocks were striking. Nobody in the house had slept; "
    "the kettle sang, the cat watched the door, and somewhere a train went by.\n"
)


@dataclass(frozen=True)
class HardInput:
    """A corpus file and words of the line that refuses it."""

    name: str
    data: bytes
    says: tuple[str, ...]


REFUSED = (
    HardInput("empty", b"", ("empty", "0 bytes")),
    HardInput("white space", b" \n\t \r\n" * 500, ("white space",)),
    HardInput("one symbol", b"a" * 5_000, ("one character", "'a'", "two different")),
    HardInput("too short", b"To be or not to be.", ("19 characters", "500")),
    HardInput(
        "NUL bytes", PROSE.encode() * 10 + b"\0" + PROSE.encode() * 10, ("NUL byte", "offset 1610", "UTF-8")
    ),
    HardInput("binary", bytes(range(1, 128)) * 40, ("control characters", "binary")),
    HardInput("a PNG picture", b"\x89PNG\r\n\x1a\n" + bytes(2_000), ("PNG picture", "plain text")),
    HardInput("a ZIP archive", b"PK\x03\x04" + bytes(2_000), ("ZIP archive", "plain text")),
    HardInput("a PDF document", b"%PDF-1.7\n" + PROSE.encode() * 20, ("PDF document",)),
    HardInput("a gzip archive", b"\x1f\x8b\x08" + bytes(2_000), ("gzip archive", "unpack it first")),
    HardInput("an xz archive", b"\xfd7zXZ\x00" + bytes(2_000), ("xz archive", "unpack it first")),
    HardInput("a byte-order mark alone", b"\xef\xbb\xbf", ("white space",)),
    HardInput(
        "invalid UTF-8",
        PROSE.encode() * 10 + b"caf\xe9 " + PROSE.encode() * 10,
        ("UTF-8", "0xE9", "offset 1613"),
    ),
    HardInput("UTF-16 without a mark", PROSE.encode("utf-16-le") * 20, ("NUL byte", "UTF-16")),
    HardInput("UTF-16 cut in a character", PROSE.encode("utf-16") * 10 + b"\xd8", ("UTF-16", "offset")),
)

WINDOWS_1252 = (
    "Où est-il? Voilà déjà l’été, naïve “oui” — ça va très bien. Grüße aus Köln.\n".encode("cp1252") * 20
)
SUGGESTED = {
    "windows-1252": WINDOWS_1252,
    "windows-1251": "Однажды весною, в час небывало жаркого заката, в Москве появились двое.\n".encode(
        "cp1251"
    )
    * 20,
    "windows-1250": "Příliš žluťoučký kůň úpěl ďábelské ódy, a nikdo ho neslyšel.\n".encode("cp1250") * 20,
    "utf-16-le": PROSE.encode("utf-16-le") * 20,
}
"""Texts in no encoding that is read without being asked to, under the name to ask with."""

NAN, INFINITE = float("nan"), float("inf")

SETTINGS_REFUSED: tuple[tuple[str, float, str], ...] = (
    ("length", 0, "length is 0"),
    ("length", -5, "length is -5"),
    ("length", 10**9, "1,000,000"),
    ("temperature", -0.5, "temperature is -0.5"),
    ("temperature", NAN, "temperature is nan"),
    ("temperature", INFINITE, "temperature is inf"),
    ("temperature", 11, "0 to 10"),
    ("random_seed", -1, "random seed is -1"),
    ("top_k", 0, "top_k is 0"),
    ("top_k", -1, "top_k is -1"),
    ("top_p", 0, "top_p is 0"),
    ("top_p", 1.1, "top_p is 1.1"),
    ("top_p", NAN, "top_p is nan"),
    ("min_p", 2, "min_p is 2"),
    ("typical_p", 0, "typical_p is 0"),
    ("typical_p", 1.5, "typical_p is 1.5"),
    ("repetition_penalty", 0, "repetition_penalty is 0"),
    ("repetition_window", -3, "repetition_window is -3"),
    ("no_repeat_ngram", 0, "no_repeat_ngram is 0"),
    ("count", 0, "count is 0"),
    ("time_limit_s", -1, "time_limit_s is -1"),
)
"""Sampling settings that must be refused: name, value, words of the line."""

CHAT_LOG = "".join(
    f"[2024-03-{day:02d} 18:{minute:02d}] user{minute % 4}#12{minute:02d}: did you see what happened there\n"
    for day in range(1, 6)
    for minute in range(10, 40)
).encode()
"""What an export of a Discord channel looks like."""

_TEXT = "“Où est-il?” she asked; naïve, yes — and it's 3.14 o'clock.\nNobody answered her…\n" * 20

READABLE = {
    "UTF-8": _TEXT.encode(),
    "UTF-8 with a mark": b"\xef\xbb\xbf" + _TEXT.encode(),
    "UTF-16 little-endian": b"\xff\xfe" + _TEXT.encode("utf-16-le"),
    "UTF-16 big-endian": b"\xfe\xff" + _TEXT.encode("utf-16-be"),
    "UTF-32": b"\xff\xfe\x00\x00" + _TEXT.encode("utf-32-le"),
    "Windows line breaks": _TEXT.replace("\n", "\r\n").encode(),
    "old Mac line breaks": _TEXT.replace("\n", "\r").encode(),
    "decomposed accents": _TEXT.replace("ù", "u\u0300").replace("ï", "i\u0308").encode(),
    "a stray control character": ("\x07" + _TEXT).encode(),
}
"""Files that all hold `READABLE_TEXT`."""

READABLE_TEXT = _TEXT

SCRIPTS = {
    "emoji and ZWJ clusters": "👩‍👩‍👧‍👦 and 👨🏽‍🚀 met 🏳️‍🌈 in 🇩🇪, 🇫🇷 and 🇯🇵 ☕️\n" * 40,
    "right-to-left": "שלום עולם, מה שלומך היום? مرحبا بالعالم\n" * 40,
    "Devanagari": "क्षि पर्वतों की श्रृंखला में स्त्री ने कहा\n" * 40,
    "Hangul": "한글은 아름답다 그리고 쉽다\n" * 40,
    "Chinese without a space": "天地玄黃宇宙洪荒日月盈昃辰宿列張" * 60,
    "Thai without a space": "ฉันรักภาษาไทยน้ำใจที่ยิ่งใหญ่" * 60,
}
"""Texts that pass unchanged, and whose graphemes nothing may cut."""


def write_large(path: Path, size: int) -> None:
    """Write a text of ``size`` bytes or a line more: sentences of varied words, a few accents among them."""
    draw = random.Random(3)
    words = ["".join(draw.choice("etaoinshrdlucmé") for _ in range(draw.randint(2, 9))) for _ in range(4_000)]
    block = "".join(
        " ".join(draw.choices(words, k=draw.randint(4, 16))).capitalize() + ".\n" for _ in range(8_000)
    ).encode()
    with path.open("wb") as target:
        for _ in range(size // len(block)):
            target.write(block)
        target.write(block[: block.index(b"\n", size % len(block)) + 1])


def write_million_words(path: Path) -> None:
    """Write a text of a million different words, twelve to a line, none of them twice."""
    with path.open("w", encoding="utf-8") as target:
        for first in range(0, 1_000_000, 12):
            target.write(" ".join(f"w{number:x}" for number in range(first, first + 12)) + "\n")
