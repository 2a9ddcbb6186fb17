"""A text that is read in pieces is the text that is read at once, wherever the pieces end."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.texts import hard_inputs
from tests.support.texts.whole import line_starts, measure, split_at_end
from textgen import corpus
from textgen.corpus.reading.cut_places import cut_near, grapheme_cut
from textgen.corpus.reading.encoding import Decoder
from textgen.corpus.reading.reader import CorpusReader, divide
from textgen.corpus.reading.sources import ReadingOptions
from textgen.corpus.reading.text import clean_pieces
from textgen.corpus.report import Measurer
from textgen.errors import CorpusError
from textgen.tokenizers.character import count_symbols

# What is read by what stands beside it: marks, jamo, joiners, flags, Σ, line breaks, controls.
_SYMBOLS = "ab Σσ'.İǅ\n\r\x85\u2028\x07\u0301\u0327\u1100\u1161\u11a8가한\u09c7\u09be👩\u200d👧🇩🇪🏽\u0e33"


def graphemes_end(text: str) -> set[int]:
    return {match.end() for match in regex.finditer(r"\X", text)}


def in_pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@settings(max_examples=300, deadline=None)
@given(st.text(_SYMBOLS, max_size=150).map("xy".__add__), st.integers(1, 30))
@example("xy" + "ΟΔΟΣ ΟΔΟΣ. ΟΔΟΣ" * 5, 4)
@example("xy\r\n\r\n\r", 3)
def test_pieces_are_cleaned_as_the_whole_is(text: str, size: int) -> None:
    try:
        whole = corpus.clean(text, name="x")
    except CorpusError:
        with pytest.raises(CorpusError):
            list(clean_pieces(in_pieces(text, size), name="x"))
        return
    pieces = list(clean_pieces(in_pieces(text, size), name="x"))
    assert "".join(pieces) == whole
    # Neither lower case nor a visible character hangs on the next piece.
    assert "".join(piece.lower() for piece in pieces) == whole.lower()
    ends, at = graphemes_end(whole), 0
    for piece in pieces:
        at += len(piece)
        assert at in ends


@pytest.mark.parametrize("text", hard_inputs.SCRIPTS.values(), ids=hard_inputs.SCRIPTS.keys())
@pytest.mark.parametrize("size", [1, 7, 64, 1_000])
def test_every_script_is_read_in_small_pieces(text: str, size: int) -> None:
    pieces = list(clean_pieces(in_pieces(text, size), name="x"))
    assert "".join(pieces) == text
    ends, at = graphemes_end(text), 0
    for piece in pieces:
        at += len(piece)
        assert at in ends


@pytest.mark.parametrize("data", hard_inputs.READABLE.values(), ids=hard_inputs.READABLE.keys())
@pytest.mark.parametrize("block", [1, 3, 1_000])
def test_files_are_read_in_blocks_of_any_size(tmp_path: Path, data: bytes, block: int) -> None:
    path = tmp_path / "input.txt"
    path.write_bytes(data)
    reader = CorpusReader([path], ReadingOptions(), block_bytes=block)
    for _ in range(2):
        assert "".join(piece.text for piece in reader.pieces()) == hard_inputs.READABLE_TEXT


def check_in_blocks(path: Path, block: int) -> None:
    measurer = Measurer(count_symbols)
    for piece in CorpusReader([path], ReadingOptions(), block_bytes=block).pieces():
        measurer.add(piece.text)
    corpus.check_stats(measurer.stats())


@pytest.mark.parametrize("case", hard_inputs.REFUSED, ids=lambda case: case.name)
@pytest.mark.parametrize("block", [7, 1_000])
def test_errors_name_the_same_offset_for_a_file_read_in_blocks(
    tmp_path: Path, case: hard_inputs.HardInput, block: int
) -> None:
    path = tmp_path / "input.txt"
    path.write_bytes(case.data)
    with pytest.raises(CorpusError) as caught:
        check_in_blocks(path, block)
    for words in case.says:
        assert words in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "shift_jis", "gb18030"])
def test_the_offset_of_a_bad_byte_is_the_files_own(encoding: str) -> None:
    good = "日本語の文。\n".encode(encoding) * 9
    data = good + b"\xff\xff" + good if encoding != "utf-16-le" else good + b"\x00\xdc" + good
    for size in (1, 2, 5, len(data)):
        with pytest.raises(CorpusError, match=f"offset {len(good)}"):
            decode_in_pieces(data, size, encoding)


def decode_in_pieces(data: bytes, size: int, encoding: str) -> None:
    decoder = Decoder("x", encoding)
    for at in range(0, len(data), size):
        decoder.decode(data[at : at + size], final=at + size >= len(data))


@settings(max_examples=60, deadline=None)
@given(st.text("ab \nBé@.", min_size=1, max_size=300), st.integers(1, 40))
def test_figures_and_line_starts_do_not_depend_on_the_pieces(text: str, size: int) -> None:
    measurer, starts = Measurer(count_symbols), corpus.LineStarts()
    for piece in in_pieces(text, size):
        measurer.add(piece)
        starts.add(piece)
    whole, pieced = measure(text), measurer.stats()
    assert (pieced.characters, pieced.lines, pieced.symbols) == (whole.characters, whole.lines, whole.symbols)
    assert pieced.duplicated_lines == pytest.approx(whole.duplicated_lines)
    assert dict(pieced.most_common) == dict(whole.most_common)
    assert starts.starts() == line_starts(text)


def test_duplicated_lines_are_counted_exactly_and_sampled_beyond_that() -> None:
    assert measure("a\nb\na\n\n\nb\na\n").duplicated_lines == pytest.approx(1 - 2 / 5)
    assert measure("\n\n \n").duplicated_lines == 0
    draw = random.Random(1)
    lines = [f"line {draw.randrange(500_000)}" for _ in range(600_000)]
    estimated = measure("\n".join(lines)).duplicated_lines
    assert estimated == pytest.approx(1 - len(set(lines)) / len(lines), abs=0.02)


def test_coverage_is_the_share_of_a_vocabulary_of_256() -> None:
    common = "".join(chr(0x4E00 + number) for number in range(255)) * 9
    rare = "".join(chr(0x5E00 + number) for number in range(255))
    assert measure(common).coverage == 1
    assert measure(common + rare).coverage == pytest.approx(0.9)


def pieces_of(tmp_path: Path, text: str, block: int) -> CorpusReader:
    path = tmp_path / "input.txt"
    path.write_bytes(text.encode())
    return CorpusReader([path], ReadingOptions(), block_bytes=block)


@pytest.mark.parametrize("block", [500, 4_000, 1 << 20])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_the_end_is_held_out_at_a_paragraph_in_blocks_of_any_size(
    tmp_path: Path, block: int, share: float
) -> None:
    text = "".join(f"Paragraph {n} says a little.\nIt has two lines.\n\n" for n in range(400))
    reader = pieces_of(tmp_path, text, block)
    parts = list(divide(reader.pieces(), reader.bytes, share))
    training = "".join(part for held_out, part in parts if not held_out)
    validation = "".join(part for held_out, part in parts if held_out)
    assert training + validation == text
    assert training.endswith("\n\n")
    assert validation.startswith("Paragraph")
    assert len(validation) / len(text) == pytest.approx(share, abs=0.03)


def test_the_end_of_a_long_last_line_is_held_out(tmp_path: Path) -> None:
    text = "A line of its own.\n" * 60 + "one sentence after the other, " * 30
    reader = pieces_of(tmp_path, text, 1 << 20)
    held_out = "".join(part for held_out, part in divide(reader.pieces(), reader.bytes, 0.3) if held_out)
    assert len(held_out) / len(text) == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("text", hard_inputs.SCRIPTS.values(), ids=hard_inputs.SCRIPTS.keys())
@pytest.mark.parametrize("share", [0.01, 0.1, 0.37])
def test_no_cut_falls_inside_a_grapheme(tmp_path: Path, text: str, share: float) -> None:
    ends = graphemes_end(text)
    assert len(split_at_end(text, share)[0]) in ends
    reader = pieces_of(tmp_path, text, 333)
    training = "".join(
        part for held_out, part in divide(reader.pieces(), reader.bytes, share, 10) if not held_out
    )
    assert len(training) in ends
    assert len(text) - len(training) >= 1


@given(st.text(_SYMBOLS, max_size=40), st.integers(-2, 45), st.integers(0, 9))
def test_a_cut_is_at_the_requested_index_or_a_little_later(text: str, at: int, reach: int) -> None:
    ends = graphemes_end(text) | {0}
    assert grapheme_cut(text, at) in ends
    assert cut_near(text, max(0, at), reach) >= min(max(0, at), len(text))


def test_a_text_without_any_line_break_takes_little_memory(tmp_path: Path) -> None:
    text = "天地玄黃宇宙洪荒日月盈昃" * 40_000
    pieces = [piece.text for piece in pieces_of(tmp_path, text, 10_000).pieces()]
    assert "".join(pieces) == text
    assert max(map(len, pieces)) < 12_000
