"""From uploaded bytes to clean text, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.texts import hard_inputs
from tests.support.texts.whole import decode, line_starts, measure, split_at_end
from textgen import corpus
from textgen.corpus import shakespeare
from textgen.corpus.chats.detection import suspect_chat_log
from textgen.corpus.reading.sources import ReadingOptions
from textgen.errors import CorpusError, SettingsError


@pytest.mark.parametrize("case", hard_inputs.REFUSED, ids=lambda case: case.name)
def test_a_corpus_that_cannot_be_used_is_refused_in_one_line(case: hard_inputs.HardInput) -> None:
    with pytest.raises(CorpusError) as caught:
        corpus.check_stats(measure(decode(case.data, "upload.txt")))
    line = str(caught.value)
    assert "\n" not in line
    for words in case.says:
        assert words in line


@pytest.mark.parametrize("data", hard_inputs.READABLE.values(), ids=hard_inputs.READABLE.keys())
def test_every_encoding_with_a_byte_order_mark_gives_the_same_text(data: bytes) -> None:
    assert decode(data, "upload.txt") == hard_inputs.READABLE_TEXT


@pytest.mark.parametrize("text", hard_inputs.SCRIPTS.values(), ids=hard_inputs.SCRIPTS.keys())
def test_every_script_passes_unchanged(text: str) -> None:
    assert decode(text.encode(), "x") == text


@pytest.mark.parametrize(
    ("encoding", "data"), hard_inputs.SUGGESTED.items(), ids=hard_inputs.SUGGESTED.keys()
)
def test_a_suggested_encoding_works(tmp_path: Path, encoding: str, data: bytes) -> None:
    (tmp_path / "input.txt").write_bytes(data)
    with pytest.raises(CorpusError, match=f"it reads as {encoding}.*give encoding {encoding}"):
        corpus.read(tmp_path / "input.txt")
    assert corpus.read(tmp_path / "input.txt", encoding=encoding) == data.decode(encoding)
    # Whoever uploads a file to the bot has nothing to give.
    with pytest.raises(CorpusError) as caught:
        decode(data, "upload.txt")
    assert encoding in str(caught.value)
    assert "give" not in str(caught.value)


def test_invalid_bytes_are_replaced_only_on_request(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_bytes(b"caf\xe9 and \xff\n" * 3)
    with pytest.raises(CorpusError, match=r"0xE9 at offset 3.*encoding_errors replace"):
        corpus.read(tmp_path / "input.txt")
    assert corpus.read(tmp_path / "input.txt", encoding_errors="replace") == "caf\ufffd and \ufffd\n" * 3


@pytest.mark.parametrize("name", ["no-such-encoding", "hex", "rot13", "zip", ""])
def test_an_unknown_encoding_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"the encoding is .* it can be utf-8"):
        ReadingOptions(encoding=name)


def test_a_seed_is_read_in_the_form_of_the_corpus() -> None:
    assert corpus.normal_form("cafe\u0301\r\nau\u2028lait\x07") == "café\nau\nlait"
    assert corpus.normal_form("") == ""
    assert corpus.normal_form(" \t ") == " \t "


def test_a_missing_file_and_a_folder_name_what_is_accepted(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"not there.*input\.txt"):
        corpus.read(tmp_path / "nowhere.txt")
    with pytest.raises(CorpusError, match="is a folder"):
        corpus.read(tmp_path)


def test_the_split_keeps_every_character_and_cuts_between_paragraphs() -> None:
    text = "".join(f"Paragraph {n} says a little.\nIt has two lines.\n\n" for n in range(200))
    training, validation = split_at_end(text, 0.1)
    assert training + validation == text
    assert training.endswith("\n\n")
    assert validation.startswith("Paragraph")
    assert 0.08 < len(validation) / len(text) < 0.11


@pytest.mark.parametrize("text", ["ab", "a" * 1_000, "no line break here " * 60])
def test_the_split_never_divides_by_nothing(text: str) -> None:
    training, validation = split_at_end(text, 0.2)
    assert training + validation == text
    assert training
    assert validation


def test_line_starts_are_spread_out_distinct_and_end_at_words() -> None:
    lines = [f"Line number {n} " + "goes on and on " * 8 for n in range(300)]
    starts = line_starts("\n".join(lines))
    assert len(starts) == 50
    assert len(set(starts)) == 50
    assert all(len(start) <= 60 for start in starts)
    assert starts[0].split()[-1] in {"goes", "on", "and"}
    assert starts[-1].startswith("Line number 29")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (hard_inputs.CHAT_LOG.decode(), "Discord"),
        ("12/31/20, 9:15 PM - Anna: happy new year\n" * 40, "WhatsApp"),
        ("[31.12.20, 21:15:07] Anna: happy new year\n" * 40, "WhatsApp"),
        ("[12:34] <nick> did you see that\n" * 40, "IRC"),
        ("anna — 03/04/2024 18:22\nwell hello there everybody\n" * 40, "Discord"),
        ('{"messages": [{"author": {"name": "x"}, "timestamp": "2024", "content": "hi"}]}' * 9, "JSON"),
    ],
)
def test_chat_logs_are_recognised(text: str, kind: str) -> None:
    assert kind in (suspect_chat_log(text) or "")


@pytest.mark.parametrize(
    "text",
    [
        "HAMLET:\nTo be, or not to be: that is the question.\n\n" * 30,
        "[Enter a GHOST] at 12:30 they left\nAnd the rest is silence.\n" * 30,
        "def f(x):\n    return x[1:2]  # 10:30\n" * 30,
        "Chapter 12: 9:15 in the morning\nShe said: stay here.\n" * 30,
        '{"title": "a story", "body": "nothing like a chat"}\n' * 30,
    ],
)
def test_plays_prose_and_code_are_not_taken_for_chat_logs(text: str) -> None:
    assert suspect_chat_log(text) is None


def test_secrets_are_counted_by_kind() -> None:
    text = (
        "write to anna@example.org or bob@example.com\n"
        # Put together here, so that no scanner takes this file for a leak.
        + "-----BEGIN RSA "
        + "PRIVATE KEY-----\n"
        + "AKIA"
        + "ABCDEFGHIJKLMNOP"
        + "\n+49 170 1234567\n"
    )
    assert measure(text).suspected_secrets == (
        "1 × private key",
        "1 × access key",
        "2 × e-mail address",
        "1 × telephone number",
    )
    assert measure(hard_inputs.PROSE * 20).suspected_secrets == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("M" + "a1" * 11 + "b." + "Gx_-4k." + "z9" * 14, "Discord token"),
        ("gh" + "p_" + "a1B2" * 10, "access key"),
        ("s" + "k-" + "a1B2" * 6, "access key"),
        ("xo" + "xb-" + "1234567890-abc", "access key"),
    ],
)
def test_every_kind_of_secret_is_found_at_any_position(text: str, kind: str) -> None:
    for before, after in (("", ""), ("my key: ", " keep it"), ("(", ")\n"), ("\n", "\n")):
        assert measure(before + text + after).suspected_secrets == (f"1 × {kind}",)


@pytest.mark.parametrize(
    "text",
    ["a task-force of twenty-five-year-olds", "at 3.141592.65358979323846264338327950", "high_pressure+12"],
)
def test_ordinary_words_are_not_reported_as_secrets(text: str) -> None:
    assert measure(text).suspected_secrets == ()


def test_shakespeare_comes_as_plain_speeches(tmp_path: Path) -> None:
    sizes = shakespeare.write(tmp_path, "tragedies")
    training = (tmp_path / "input.txt").read_text(encoding="utf-8")
    validation = (tmp_path / "validate.txt").read_text(encoding="utf-8")
    assert sizes == (len(training), len(validation))
    assert "HAMLET:\nTo be, or not to be: that is the question:" in training + validation
    assert not {"*", "#", "_", "\\"} & set(training)
    assert 0.08 < len(validation) / len(training) < 0.14


def test_an_unknown_genre_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"farces.*comedies, histories"):
        shakespeare.write(tmp_path, "farces")
