"""What a corpus may be: a file, several, a folder; text, Markdown, a table."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.texts import hard_inputs
from textgen.corpus.reading.reader import CorpusReader
from textgen.corpus.reading.sources import ReadingOptions, find
from textgen.errors import CorpusError


def text_of(*paths: Path, column: str | None = None, block_bytes: int = 1 << 20) -> str:
    reader = CorpusReader(paths, ReadingOptions(column), block_bytes=block_bytes)
    return "".join(piece.text for piece in reader.pieces())


def write(folder: Path, **texts: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name.replace("_", ".")).write_bytes(text.encode())


def test_a_folder_with_an_input_file_is_that_file(tmp_path: Path) -> None:
    write(tmp_path, input_txt="a", validate_txt="b", notes_txt="c")
    found = find(tmp_path)
    assert found.training == (tmp_path / "input.txt",)
    assert found.validation == tmp_path / "validate.txt"
    assert found.home == tmp_path
    assert not found.notes


def test_another_folder_is_all_its_texts_in_order_with_blank_lines_between(tmp_path: Path) -> None:
    write(tmp_path, b_txt="second\n", a_md="# first", c_txt="third", picture_png="x", validate_txt="held out")
    (tmp_path / ".hidden.txt").write_text("not this")
    (tmp_path / "model").mkdir()
    found = find(tmp_path)
    assert [path.name for path in found.training] == ["a.md", "b.txt", "c.txt"]
    assert found.validation == tmp_path / "validate.txt"
    assert text_of(*found.training) == "# first\n\nsecond\n\nthird"
    assert text_of(*found.training, block_bytes=3) == "# first\n\nsecond\n\nthird"
    told = " ".join(found.notes)
    assert "3 files are read: a.md, b.txt, c.txt" in told
    assert "picture.png" in told


def test_several_files_come_in_the_order_in_which_they_are_named(tmp_path: Path) -> None:
    write(tmp_path, a_txt="first", b_txt="second")
    found = find([tmp_path / "b.txt", tmp_path / "a.txt"])
    assert text_of(*found.training) == "second\n\nfirst"
    assert found.home == tmp_path
    assert find([tmp_path]).training == find(tmp_path).training


def test_files_in_different_encodings_are_noted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("é".encode())
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe" + "é".encode("utf-16-le"))
    reader = CorpusReader([tmp_path / "a.txt", tmp_path / "b.txt"], ReadingOptions())
    assert [piece.text for piece in reader.pieces()] == ["é", "\n\n", "é"]
    assert reader.encodings == ["utf-8", "utf-16-le"]


def test_an_encoding_is_advised_only_if_it_fits_all_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("é".encode())
    (tmp_path / "b.txt").write_bytes(hard_inputs.WINDOWS_1252)
    with pytest.raises(CorpusError, match=r"give encoding windows-1252 if every file is in it"):
        text_of(tmp_path / "a.txt", tmp_path / "b.txt")


@pytest.mark.parametrize("name", ["notes.txt.gz", "notes.zip", "notes.bz2"])
def test_compressed_files_are_refused_with_advice(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    for source in (tmp_path / name, tmp_path, [tmp_path / name, tmp_path / name]):
        with pytest.raises(CorpusError, match=rf"not read: unpack it first \(\w+ {name}\)"):
            find(source)


def test_a_path_that_is_not_a_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        CorpusError, match=r"neither input\.txt nor another file to read \(\.txt, \.md, \.csv"
    ):
        find(tmp_path)
    with pytest.raises(CorpusError, match="a corpus needs one at least"):
        find([])
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(CorpusError, match="is a device or a pipe"):
        find(tmp_path / "pipe.txt")
    with pytest.raises(CorpusError, match="is not there"):
        CorpusReader(find(tmp_path / "nowhere.txt").training, ReadingOptions())


def test_a_file_that_is_too_large_is_refused_before_reading(tmp_path: Path) -> None:
    with (tmp_path / "input.txt").open("wb") as stream:
        stream.truncate((1 << 30) + 1)
    with pytest.raises(CorpusError, match=r"1,073,741,825 bytes; at most 1,073,741,824"):
        CorpusReader([tmp_path / "input.txt"], ReadingOptions())


CSV = 'id,text\r\n1,"Hello, you"\r\n2,"Two\r\nlines ""here"""\r\n3,\r\n4,last é\r\n'
ROWS = 'Hello, you\n\nTwo\nlines "here"\n\nlast é\n'


@pytest.mark.parametrize("block", [1, 5, 1 << 20])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_column_of_a_csv_file_is_read(tmp_path: Path, block: int, delimiter: str) -> None:
    data = CSV.replace("id,", f"id{delimiter}")
    data = "\r\n".join(
        line.replace(",", delimiter, 1) if line[:1].isdigit() else line for line in data.split("\r\n")
    )
    (tmp_path / "posts.csv").write_bytes(b"\xef\xbb\xbf" + data.encode())
    assert text_of(tmp_path / "posts.csv", column="text", block_bytes=block) == ROWS


@pytest.mark.parametrize("block", [1, 5, 1 << 20])
def test_a_key_of_json_lines_is_read(tmp_path: Path, block: int) -> None:
    rows = ["Hello, you", 'Two\nlines "here"', None, "last é"]
    lines = [json.dumps({"id": number, "text": row}) for number, row in enumerate(rows)]
    (tmp_path / "posts.jsonl").write_text("\n\n".join(lines), encoding="utf-8")
    assert text_of(tmp_path / "posts.jsonl", column="text", block_bytes=block) == ROWS


def test_the_only_column_needs_no_name_and_rows_without_text_are_counted(tmp_path: Path) -> None:
    write(tmp_path, a_csv="quote\nTo be\n\nor not\n", b_jsonl='{"q": "That is"}\n{"other": 1}\n{"q": "it"}\n')
    assert text_of(tmp_path / "a.csv") == "To be\nor not\n"
    reader = CorpusReader([tmp_path / "b.jsonl"], ReadingOptions())
    assert "".join(piece.text for piece in reader.pieces()) == "That is\nit\n"
    assert reader.notes == ["b.jsonl has 1 rows without text"]


@pytest.mark.parametrize(
    ("name", "data", "column", "says"),
    [
        ("a.csv", "id,text\n1,x\n", None, r"the columns of .*a\.csv are 'id', 'text'.*give column NAME"),
        ("a.csv", "id,text\n1,x\n", "body", r"are 'id', 'text'; there is no 'body' among them"),
        ("a.csv", 'text\n"never closed\n', "text", r"not valid CSV: line 2: unexpected end of data"),
        ("a.csv", "text\n \n", "text", "only white space"),
        ("a.jsonl", '{"a": "x", "b": "y"}\n', None, r"the keys of line 1 of .* are 'a', 'b'"),
        ("a.jsonl", '{"a": "x"}\nnonsense\n', "a", "line 2 is not a JSON object"),
        ("a.jsonl", '["x"]\n', "a", "line 1 is not a JSON object"),
        ("a.jsonl", "[" * 100_000 + "\n", "a", "line 1 is not a JSON object"),
        ("a.jsonl", '{"a": 3}\n', "a", "'a' of line 1 is int; it must be a string"),
        ("a.jsonl", "", "a", "is empty"),
        ("a.csv", "a,a\n1,2\n", "a", "2 of them are 'a'; say which by its number from 1"),
        ("a.csv", "a,b\n1,2\n", "3", "there is no '3' among them"),
        (
            "a.csv",
            'id,text\n1,x\n2,"open\n3,z\n',
            "text",
            "line 3: unexpected end of data .a quote is opened",
        ),
        ("a.csv", 'id,text\n1,"Yes," she said\n', "text", "not valid CSV: line 2"),
        ("a.csv", "id,text\n1,\n2\n", "text", "only white space in the column 'text': 2 rows without text"),
        (
            "a.jsonl",
            '{"id": 1}\n{"id": 2}\n',
            "text",
            "'id'; there is no 'text' among them, nor in a later line",
        ),
        ("a.jsonl", '[{"text": "x"}]\n', "text", "a list of them: write each of its objects on a line"),
        ("a.jsonl", '{"text": {"a": "x"}}\n', "text", "'text' of line 1 is an object; it must be a string"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(
    tmp_path: Path, name: str, data: str, column: str | None, says: str
) -> None:
    (tmp_path / name).write_text(data, encoding="utf-8")
    with pytest.raises(CorpusError, match=says) as caught:
        text_of(tmp_path / name, column=column)
    assert "\n" not in str(caught.value)


UNUSUAL = {
    "a blank behind each comma": ("a.csv", 'id, "text"\n0, "a, b"\n1, c\n', "text", "a, b\nc\n"),
    "carriage returns alone": ("a.csv", 'id,text\r0,"a\rb"\r1,c\r', "text", "a\nb\n\nc\n"),
    "a heading of two lines": ("a.csv", '"row\nnumber",text\n0,a\n', "Row number", "0\n"),
    "another case": ("a.csv", "ID,Text\n0,a\n", "text", "a\n"),
    "a number": ("a.csv", "a,a,\n0,b,c\n", "3", "c\n"),
    "an announced delimiter": ("a.csv", "sep=;\nid;text\n0;a, b\n", "text", "a, b\n"),
    "blank lines in front": ("a.csv", "\n\nid,text\n0,a\n", "text", "a\n"),
    "one column": ("a.csv", 'text\nHello, you\n"so, quoted"\n"Hi," she said\n', None,
                   'Hello, you\nso, quoted\n"Hi," she said\n'),
    "bare commas at the end": ("a.csv", "id,text\n0,a, b,c\n1,d,,\n", "text", "a, b,c\nd\n"),
    "bare commas in the middle": ("a.csv", "id,text,label\n0,a, b,pos\n1,d,neg\n", "text", "a, b\nd\n"),
    "short rows": ("a.csv", "id,text\n0\n1,d\n", "text", "d\n"),
    "tabs": ("a.tsv", "id\ttext\n0\ta, b\n", "text", "a, b\n"),
    "a huge field": ("a.csv", f"id,text\n0,{'ab ' * 100_000}\n", "text", "ab " * 100_000 + "\n"),
    "a key that comes later": ("a.jsonl", '{"id": 0}\n{"text": "a"}\n', "text", "a\n"),
    "marks between lines": ("a.jsonl", '\ufeff{"text": "a"}\r\ufeff{"text": "b"}', "text", "a\nb\n"),
    "another name of JSON lines": ("a.ndjson", '{"text": "a"}\n', None, "a\n"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "data", "column", "text"), UNUSUAL.values(), ids=UNUSUAL.keys())
@pytest.mark.parametrize("block", [1, 1 << 20])
def test_tables_in_any_style_are_read(
    tmp_path: Path, name: str, data: str, column: str | None, text: str, block: int
) -> None:
    if block < 10 < 1_000 < len(data):
        block = 9_999
    (tmp_path / name).write_bytes(data.encode())
    assert text_of(tmp_path / name, column=column, block_bytes=block) == text


def test_joined_rows_and_a_doubtful_heading_are_noted(tmp_path: Path) -> None:
    write(tmp_path, a_csv="id,text\n0,a, b\n1,c\n", b_csv="To be.\nOr not.\n")
    notes = []
    for name, column in (("a.csv", "text"), ("b.csv", None)):
        reader = CorpusReader([tmp_path / name], ReadingOptions(column))
        list(reader.pieces())
        notes += reader.notes
    assert notes == [
        "a.csv has 1 rows with more fields than its heading; their commas are read as part of the column "
        "'text'",
        "the first row of b.csv, 'To be.', is its heading and no text",
    ]


def test_a_column_beside_tables_leaves_other_files_whole_and_says_so(tmp_path: Path) -> None:
    write(tmp_path, a_csv="id,text\n0,a\n", b_txt="b")
    found = find(tmp_path)
    reader = CorpusReader(found.training, ReadingOptions("text"))
    assert "".join(piece.text for piece in reader.pieces()) == "a\n\nb"
    assert reader.notes == ["no tables, so they are read whole: b.txt"]
    with pytest.raises(CorpusError, match=r"b\.txt is no table: a column, here 'text'"):
        text_of(tmp_path / "b.txt", column="text")


def test_subfolders_are_read_and_skipped_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "b" / "deep").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (tmp_path / "model").mkdir()
    write(tmp_path, a_txt="first", c_txt="third", empty_txt="", x_png="no")
    write(tmp_path / "b" / "deep", a_txt="second")
    write(tmp_path / ".git", a_txt="no")
    (tmp_path / ".secret.txt").write_text("no", encoding="utf-8")
    write(tmp_path / "model", manifest_json="{}", weights_safetensors="no", readme_md="no")
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    (tmp_path / "d.txt").symlink_to(tmp_path / "a.txt")
    found = find(tmp_path)
    assert text_of(*found.training) == "first\n\nsecond\n\nthird"
    assert found.notes == (
        "3 files are read: a.txt, b/deep/a.txt, c.txt",
        "read once, for they are there twice: d.txt",
        "not read, for they are empty: empty.txt",
        "not read, for they are hidden: .secret.txt",
        "not read, for they are links to folders: b/loop",
        "not read, for they are not .txt, .md, .csv, .tsv, .jsonl, .ndjson: x.png",
    )


def test_the_files_of_several_folders_are_counted_together(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, a_txt=f"{name} a", b_txt=f"{name} b", x_png="no")
    found = find([tmp_path / "one", tmp_path / "two"])
    assert text_of(*found.training) == "one a\n\none b\n\ntwo a\n\ntwo b"
    assert [note for note in found.notes if "are read" in note] == [
        f"4 files are read: a.txt, b.txt, {tmp_path / 'two' / 'a.txt'} and 1 more"
    ]


def test_a_file_that_is_named_twice_is_read_once_and_empty_ones_are_refused_together(tmp_path: Path) -> None:
    write(tmp_path, a_txt="a", b_txt="", c_txt="")
    found = find([tmp_path / "a.txt", tmp_path / "a.txt"])
    assert found.training == (tmp_path / "a.txt",)
    assert found.notes == ("read once, for they are there twice: a.txt",)
    with pytest.raises(CorpusError, match=r"b\.txt, c\.txt: all 2 files are empty"):
        find([tmp_path / "b.txt", tmp_path / "c.txt"])


def test_a_table_of_messages_is_reported_as_a_chat_log(tmp_path: Path) -> None:
    write(tmp_path, a_csv="author,date,text\nanna,2024-01-01,hi\n", b_csv="title,text\nhi,hi\n")
    for name, kind in (("a.csv", "a chat export"), ("b.csv", "")):
        reader = CorpusReader([tmp_path / name], ReadingOptions("text"))
        list(reader.pieces())
        assert (reader.chat_log or "").startswith(kind)
        assert bool(reader.chat_log) is bool(kind)


def test_a_file_that_changes_between_two_readings_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "input.txt"
    for changed in (b"To be or not to be?", b"To be \xff", b"\0", b"", b"To be or not to be, that is"):
        path.write_bytes(b"To be or not to be.")
        reader = CorpusReader([path], ReadingOptions())
        list(reader.pieces())
        path.write_bytes(changed)
        with pytest.raises(CorpusError, match=r"input\.txt changed while it was read; start again"):
            list(reader.pieces())


def test_a_file_that_vanishes_or_fails_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "input.txt"
    path.write_text(hard_inputs.PROSE)
    reader = CorpusReader([path], ReadingOptions())
    path.unlink()
    path.mkdir()
    with pytest.raises(CorpusError, match="is a folder"):
        list(reader.pieces())
    with pytest.raises(CorpusError, match=r"/proc/self/mem cannot be read"):
        list(CorpusReader([Path("/proc/self/mem")], ReadingOptions()).pieces())


def test_files_and_folders_are_one_corpus_in_their_order(tmp_path: Path) -> None:
    write(tmp_path / "diary", may_txt="may", june_md="june")
    write(tmp_path / "plays", input_txt="play", validate_txt="held out", other_txt="not read")
    write(tmp_path, letter_txt="letter")
    found = find([tmp_path / "letter.txt", tmp_path / "plays", tmp_path / "diary"])
    names = [str(path.relative_to(tmp_path)) for path in found.training]
    assert names == ["letter.txt", "plays/input.txt", "diary/june.md", "diary/may.txt"]
    assert found.validation == tmp_path / "plays" / "validate.txt"
    assert found.home == tmp_path
    assert find([tmp_path / "diary", tmp_path / "letter.txt"]).home == tmp_path / "diary"
    write(tmp_path / "diary", validate_txt="another")
    with pytest.raises(CorpusError, match="are two validation texts"):
        find([tmp_path / "plays", tmp_path / "diary"])


def test_a_model_is_no_text(tmp_path: Path) -> None:
    write(tmp_path / "model", manifest_json="{}", weights_safetensors="")
    for source in (tmp_path / "model", [tmp_path / "model", tmp_path / "model"]):
        with pytest.raises(CorpusError, match="is a model, not a text"):
            find(source)
