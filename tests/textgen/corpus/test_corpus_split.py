"""Validation text from a corpus: nothing lost, nothing overwritten, nothing divided by zero."""

from __future__ import annotations

import errno
from collections import Counter
from pathlib import Path

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.texts import hard_inputs
from textgen.corpus import read
from textgen.corpus.splitting import divide_text, split
from textgen.errors import CorpusError, SettingsError
from textgen.files import atomic

PARAGRAPHS = "".join(
    f"Paragraph {n} says a little.\nIt has {n % 5 + 2} lines.\n" + "More.\n" * (n % 5) + "\n"
    for n in range(200)
)
LINES = "".join(f"Line {n} of a poem without a blank line\n" for n in range(200))
ONE_LINE = "".join(f"Sentence {n} of a text without a break. " for n in range(200))
WORDS = "word " * 500

TEXTS = {
    "paragraphs": PARAGRAPHS,
    "lines": LINES,
    "sentences": ONE_LINE,
    "words": WORDS,
    "characters": "天地玄黃宇宙洪荒" * 50,
}


def write(folder: Path, text: str) -> Path:
    (folder / "input.txt").write_bytes(text.encode())
    return folder


@pytest.mark.parametrize(("unit", "text"), TEXTS.items(), ids=TEXTS.keys())
@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("share", [0.05, 0.1, 0.5])
def test_a_share_of_whole_units_moves_to_the_validation_text(
    tmp_path: Path, unit: str, text: str, scattered: bool, share: float
) -> None:
    done = split(write(tmp_path, text), share=share, scattered=scattered)
    training = (tmp_path / "input.txt").read_text(encoding="utf-8")
    validation = (tmp_path / "validate.txt").read_text(encoding="utf-8")
    assert done.unit == unit
    assert (done.training, done.validation) == (len(training), len(validation))
    assert len(validation) / len(text) == pytest.approx(share, abs=0.02)
    assert Counter(training) + Counter(validation) == Counter(text)
    if not scattered:
        assert training + validation == text
    if unit == "paragraphs":
        assert all(part.startswith("Paragraph") for part in validation.split("\n\n") if part)
        assert set(training.split("\n\n")) & set(validation.split("\n\n")) == {""}
    assert {path.name for path in tmp_path.iterdir()} == {"input.txt", "validate.txt"}


def test_scattered_paragraphs_keep_their_order_and_depend_on_the_seed() -> None:
    first = divide_text(PARAGRAPHS, 0.1, 1)
    assert first == divide_text(PARAGRAPHS, 0.1, 1)
    assert first != divide_text(PARAGRAPHS, 0.1, 2)
    numbers = [int(part.split()[1]) for part in first[1].split("\n\n") if part]
    assert numbers == sorted(numbers)
    assert max(numbers) - min(numbers) > 100


def test_the_end_is_one_piece_even_if_smaller_paragraphs_would_fill_it() -> None:
    text = "small one\n\n" * 40 + "a long paragraph " * 20 + "\n\n" + "the last one is short\n"
    training, validation, _ = divide_text(text, 0.05)
    assert validation == "the last one is short\n"
    assert training + validation == text


@settings(deadline=None)
@given(
    st.text("ab \n\r.é🇩🇪\u0301", min_size=0, max_size=120),
    st.floats(0.001, 0.5),
    st.none() | st.integers(0, 3),
)
def test_any_text_is_divided_without_loss_or_refused(text: str, share: float, seed: int | None) -> None:
    if len(regex.findall(r"\X", text)) < 2:
        with pytest.raises(CorpusError, match="less than two characters"):
            divide_text(text, share, seed)
        return
    training, validation, _ = divide_text(text, share, seed)
    assert training
    assert validation
    assert Counter(training) + Counter(validation) == Counter(text)


@pytest.mark.parametrize("data", hard_inputs.READABLE.values(), ids=hard_inputs.READABLE.keys())
def test_files_keep_their_encoding_their_mark_and_their_line_breaks(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "input.txt").write_bytes(data)
    split(tmp_path, share=0.3)
    parts = [(tmp_path / name).read_bytes() for name in ("input.txt", "validate.txt")]
    for mark in (b"\xff\xfe\x00\x00", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"):
        if data.startswith(mark):
            assert parts[1].startswith(mark)
            parts[1] = parts[1][len(mark) :]
            break
    assert b"".join(parts) == data


def test_a_validation_text_is_overwritten_only_with_force(tmp_path: Path) -> None:
    split(write(tmp_path, PARAGRAPHS))
    before = (tmp_path / "validate.txt").read_bytes()
    with pytest.raises(CorpusError, match=r"validate\.txt is there already; force puts its text back"):
        split(tmp_path, share=0.3)
    assert (tmp_path / "validate.txt").read_bytes() == before
    split(tmp_path, share=0.3, force=True)
    texts = [(tmp_path / name).read_text() for name in ("input.txt", "validate.txt")]
    assert "".join(texts) == PARAGRAPHS
    assert len(texts[1]) / len(PARAGRAPHS) == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize("share", [0, -1, 0.51, float("nan"), float("inf")])
def test_a_share_out_of_bounds_is_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(SettingsError, match=r"more than 0 and at most 0\.5"):
        split(write(tmp_path, PARAGRAPHS), share=share)


def test_an_encoding_that_does_not_exist_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="the encoding is 'utf-9', which is none; it can be utf-8"):
        split(write(tmp_path, PARAGRAPHS), encoding="utf-9")
    with pytest.raises(SettingsError, match="the encoding is 'utf-9'"):
        read(tmp_path / "input.txt", encoding="utf-9")
    assert [path.name for path in tmp_path.iterdir()] == ["input.txt"]


UNREADABLE = [case for case in hard_inputs.REFUSED if b"\0" in case.data or not case.data]


@pytest.mark.parametrize("case", UNREADABLE, ids=lambda case: case.name)
def test_a_file_that_is_not_text_is_left_unchanged(tmp_path: Path, case: hard_inputs.HardInput) -> None:
    (tmp_path / "input.txt").write_bytes(case.data)
    with pytest.raises(CorpusError):
        split(tmp_path)
    assert (tmp_path / "input.txt").read_bytes() == case.data
    assert not (tmp_path / "validate.txt").exists()


@pytest.mark.parametrize("failing", [0, 1])
def test_a_full_disk_changes_nothing(tmp_path: Path, failing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, PARAGRAPHS)
    written, write_bytes = 0, atomic.write_bytes

    def full(path: Path, data: bytes) -> None:
        nonlocal written
        written += 1
        if written > failing:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_bytes(path, data)

    monkeypatch.setattr(atomic, "write_bytes", full)
    with pytest.raises(CorpusError, match="cannot be written: No space left on device; nothing was changed"):
        split(tmp_path)
    assert (tmp_path / "input.txt").read_text() == PARAGRAPHS
    assert [path.name for path in tmp_path.iterdir()] == ["input.txt"]
