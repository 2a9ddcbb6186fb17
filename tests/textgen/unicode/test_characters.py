"""What nobody sees is not learnt: each kind of invisible character has its rule, in corpus and seed."""

from __future__ import annotations

from pathlib import Path

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.texts import hard_inputs
from textgen import corpus
from textgen.corpus.reading.reader import CorpusReader
from textgen.corpus.reading.sources import ReadingOptions
from textgen.corpus.reading.text import clean_pieces
from textgen.unicode import characters

CLEANED = {
    "joined surrogates": ("a \ud83d\ude00 b", "a 😀 b"),
    "half of an emoji": ("a \ud83d b \ude00", "a  b "),
    "halves in the wrong order": ("a\ude00\ud83db", "ab"),
    "Windows-1252 as ISO-8859-1": ("\x93It\x92s\x94 \x96 no\x85 \x80 5", "“It’s” – no… € 5"),
    "what Windows-1252 leaves undefined": ("It\x92s\x81 a\x9d", "It’s a"),
    "a line break of mainframes": ("one\x85two", "one\ntwo"),
    "separators": ("a\u2028b\u2029c\x0bd\x0ce\r\nf\rg", "a\nb\nc\nd\ne\nf\ng"),
    "a mark in the middle": ("one\n\ufefftwo", "one\ntwo"),
    "zero-width space": ("a\u200bb \u200b c", "ab  c"),
    "word joiner": ("a\u2060b", "ab"),
    "soft hyphen": ("hy\u00adphen", "hyphen"),
    "soft hyphen at the end of a line": ("hy\u00ad\nphen", "hy-\nphen"),
    "overrides of direction": ("\u202eabc\u202c \u2066x\u2069 \u200ey\u200f \u061cz", "abc x y z"),
    "smuggled tags": ("a\U000e0068\U000e0069\U000e0001b", "ab"),
    "a smuggled row of selectors": ("a\ufe0f\U000e0100\U000e0101 \ufe0e", "a\ufe0f "),
    "an annotation": ("\ufff9漢\ufffaかん\ufffb", "漢かん"),
    "blank names": ("\u3164 \uffa0 \u115f \u1160\u034f!", "   !"),
    "noncharacters": ("a\ufdd0\ufffe\U0010ffffb", "ab"),
    "a control": ("a\x07b\x1b[1m", "ab[1m"),
    "a joiner in Latin": ("Auf\u200clage x\u200d", "Auflage x"),
    "an accent behind a zero-width space": ("cafe\u200b\u0301", "café"),
}

KEPT = {
    "a family, a flag and a heart": "👨‍👩‍👧‍👦 🏳️‍🌈 ❤️‍🔥 ❤︎ 👍🏽 1️⃣",
    "flags of regions": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f!",
    "Persian": "می‌خواهم کتاب‌ها را",
    "a Persian abbreviation": "ه‍.ش",
    "Devanagari": "क्‍ष and क्‌ष",
    "Sinhala": "ශ්‍රී ලංකාව",
    "Malayalam": "അവന്‍",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ\u180eᠡ ᠠ\u180b",
    "Hangul in single letters with fillers": "\u1100\u1160\u11a8 \u115f\u1161",
    "ideographic variants": "葛\U000e0100城",
    "spaces of every width": "10\u00a0km 5\u202f% 日\u3000本\u2009!",
    "private and unassigned characters": "\uf8ff \U000f0000 \u0378",
    "a replacement character": "caf\ufffd",
    "a tab": "a\tb",
}


@pytest.mark.parametrize(("text", "wanted"), CLEANED.values(), ids=CLEANED.keys())
def test_invisible_characters_are_removed_or_made_visible(text: str, wanted: str) -> None:
    padding = hard_inputs.PROSE * 40
    assert corpus.clean(padding + text, name="x") == padding + wanted
    assert corpus.normal_form(text) == wanted


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT.keys())
def test_characters_that_shape_their_neighbours_stay(text: str) -> None:
    assert corpus.clean(text, name="x") == text


# Those with a rule of their own: Mongolian's selectors and vowel separator stay.
_OWN_RULE = set(map(chr, range(0x180B, 0x1810)))


@pytest.mark.slow
def test_every_character_that_unicode_calls_ignorable_has_a_rule() -> None:
    ignorable = {
        chr(point)
        for point in range(0x110000)
        if not 0xD800 <= point < 0xE000 and regex.match(r"\p{Default_Ignorable_Code_Point}", chr(point))
    }
    assert ignorable - _OWN_RULE == {
        symbol for symbol in ignorable if corpus.normal_form(f" {symbol} ") == "  "
    }


_HARD = (
    "a é\u0301\n\x85\x92\ud83d\ude00\u00ad\u034f\u115f\u1160\u1100\u1161\u3164"
    "\u200b\u200c\u200dक्षم❤\ufe0f\ufe0e🏴\U000e0067\U000e0062\U000e007f\ufeff\u2126\u212b\U000e0100"
)


@settings(max_examples=300, deadline=None)
@given(st.text(_HARD, max_size=60).map("xy".__add__), st.integers(1, 20))
# Normalization puts the second mark before the first: the joiner then follows a mark that it does not shape.
@example("xy \u0301\u094d\u200c", 1)
@example("xye\u0301\u200d\u0338\u094d\u200c", 2)
def test_clean_text_stays_as_it_is_and_pieces_do_not_matter(text: str, size: int) -> None:
    once = corpus.normal_form(text)
    assert corpus.normal_form(once) == once
    once.encode()
    pieces = clean_pieces([text[at : at + size] for at in range(0, len(text), size)], name="x")
    assert "".join(pieces) == once


@pytest.mark.parametrize("encoding", ["latin1", "iso-8859-1", "iso-8859-15"])
def test_windows_1252_read_as_iso_8859_is_repaired(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "input.txt"
    path.write_bytes("Well… “it’s”\n".encode("cp1252") * 50)
    reader = CorpusReader([path], ReadingOptions(encoding=encoding))
    assert "".join(piece.text for piece in reader.pieces()) == "Well… “it’s”\n" * 50
    assert reader.notes == [
        "input.txt was Windows-1252 read as ISO-8859-1; its quotes and dashes are repaired"
    ]


def test_removed_characters_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_text('{"text": "cut \\ud83d"}\n{"text": "so\\u200bft"}\n' * 30, encoding="utf-8")
    reader = CorpusReader([path], ReadingOptions("text"))
    assert "".join(piece.text for piece in reader.pieces()) == "cut \nsoft\n" * 30
    assert reader.notes == ["30 invisible marks, 30 halves of characters of posts.jsonl are left out"]
    assert characters.Dropped().notes("x") == []
