"""Corpora at the shell: `textgen corpus …`, and what `textgen train` reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.textgen.command import refusal, textgen
from tests.support.texts import hard_inputs
from tests.textgen.conftest import prose
from textgen import bundle


def test_stats_say_what_to_know_before_training(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(prose(3_000) + "write to anna@example.org\n", encoding="utf-8")
    (tmp_path / "b.md").write_text("# Notes\n", encoding="utf-8")
    told = textgen("corpus", "stats", tmp_path).stdout
    rows = {line[:12].strip(): line[12:] for line in told.splitlines()}
    assert "bytes in utf-8" in rows["size"]
    assert "of them repeated" in rows["lines"]
    assert rows["coverage"].startswith("100.00% by a vocabulary of 256")
    assert rows["secrets"] == "1 × e-mail address"
    assert rows["suggestion"] == "--level char --preset tiny"
    assert "6 epochs at" in rows["time"]
    assert "2 files are read: a.txt, b.md" in rows["note"]
    data = json.loads(textgen("corpus", "stats", tmp_path / "a.txt", tmp_path / "b.md", "--json").stdout)
    assert data["files"] == 2
    assert data["encodings"] == ["utf-8"]
    assert data["suggestion"]["preset"] == "tiny"
    assert data["suggestion"]["seconds"] > 0


def test_stats_of_a_text_of_many_symbols_suggest_another_level(tmp_path: Path) -> None:
    text = "".join(chr(0x4E00 + number % 3_000) for number in range(20_000))
    (tmp_path / "input.txt").write_text(text, encoding="utf-8")
    told = textgen("corpus", "stats", tmp_path).stdout
    assert "--level subword" in told
    assert "symbols     3,000" in told
    assert "coverage    8." in told


def test_a_short_text_is_told_to_be_too_short(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_text("To be", encoding="utf-8")
    assert "too short   500 characters are needed" in textgen("corpus", "stats", tmp_path).stdout


def test_split_makes_a_validation_text_once(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_text(prose(500), encoding="utf-8")
    told = textgen("corpus", "split", tmp_path, "--share", "0.2", "--scattered").stdout
    assert "(whole lines)" in told
    texts = [(tmp_path / name).read_text(encoding="utf-8") for name in ("input.txt", "validate.txt")]
    assert sorted("".join(texts).splitlines()) == sorted(prose(500).splitlines())
    assert "--force" in refusal(textgen("corpus", "split", tmp_path))
    assert textgen("corpus", "split", tmp_path, "--force").returncode == 0
    assert "at most 0.5" in refusal(textgen("corpus", "split", tmp_path, "--force", "--share", "2"))


def test_unwrap_writes_to_standard_output_or_a_file(tmp_path: Path) -> None:
    line = "It was a bright cold day, and all of the clocks in the town were strik-"
    wrapped = (
        f"{line}\ning thirteen – nobody had slept in the house of the old clockmaker, and\nthe kettle sang.\n"
    )
    whole = wrapped.replace("-\n", "").replace("and\n", "and ")
    (tmp_path / "book.txt").write_bytes(b"\xef\xbb\xbf" + wrapped.replace("\n", "\r\n").encode())
    assert textgen("corpus", "unwrap", tmp_path / "book.txt").stdout == whole
    target = tmp_path / "plain.txt"
    assert textgen("corpus", "unwrap", tmp_path / "book.txt", "--output", target).stdout == ""
    assert target.read_text(encoding="utf-8") == whole
    failed = textgen("corpus", "unwrap", tmp_path / "book.txt", "--output", tmp_path / "no" / "where.txt")
    assert "cannot be written: No such file or directory" in refusal(failed)


NO_TEXTS = [case for case in hard_inputs.REFUSED if case.name not in {"one symbol", "too short"}]


@pytest.mark.parametrize("case", NO_TEXTS, ids=lambda case: case.name)
@pytest.mark.parametrize("command", ["stats", "unwrap"])
def test_what_is_no_text_ends_in_one_line(tmp_path: Path, command: str, case: hard_inputs.HardInput) -> None:
    (tmp_path / "input.txt").write_bytes(case.data)
    line = refusal(textgen("corpus", command, tmp_path / "input.txt"))
    for words in case.says:
        assert words in line


def test_a_training_reads_several_files_of_several_kinds(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(prose(300), encoding="utf-8")
    rows = "".join(
        json.dumps({"id": n, "body": line}) + "\n" for n, line in enumerate(prose(300).splitlines())
    )
    (tmp_path / "b.jsonl").write_text(rows, encoding="utf-8")
    inputs = ["--input", tmp_path / "a.md", "--input", tmp_path / "b.jsonl"]
    flags = ["--time-limit", "1"]  # which the counted n-grams alone are ready in
    assert "say which one holds the text" in refusal(textgen("train", *inputs, *flags))
    trained = textgen("train", *inputs, "--column", "body", "--cache-dir", tmp_path / "cache", *flags)
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout.startswith(f"{tmp_path}/model: validation loss ")
    manifest = bundle.read_manifest(tmp_path / "model")
    assert manifest.characters > 1.8 * len(prose(300))
    assert manifest.text_form == {"encodings": ["utf-8"], "normalization": "NFC", "column": "body"}
    assert len(list((tmp_path / "cache").iterdir())) == 1
    # A seed typed with a combining accent or a Windows line break is what the model has read.
    seeded = textgen("sample", "--model", tmp_path / "model", "--seed", "the cat\r\n", "--length", "5")
    assert seeded.stdout.startswith("the cat\n")


def test_an_encoding_is_named_by_the_error_and_taken_by_the_flag(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_bytes(hard_inputs.WINDOWS_1252)
    flags = ["train", "--data-dir", tmp_path, "--time-limit", "1"]
    assert "give --encoding windows-1252" in refusal(textgen(*flags))
    assert textgen(*flags, "--encoding", "windows-1252").returncode == 0
    assert bundle.read_manifest(tmp_path / "model").text_form["encodings"] == ["cp1252"]
    assert "the encoding is 'klingon'" in refusal(textgen(*flags, "--encoding", "klingon"))


@pytest.mark.parametrize(
    "arguments",
    [["train", "--data-dir", "x", "--input", "y"], ["train"], ["corpus", "stats"],
     ["train", "--input", "x", "--encoding-errors", "guess"]],
)  # fmt: skip
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert textgen(*arguments).returncode == 2
