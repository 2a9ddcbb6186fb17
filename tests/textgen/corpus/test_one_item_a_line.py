"""A text of one item a line is recognised, and its model writes new items."""

from __future__ import annotations

import json
import random
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.support.textgen.bundles import SpellingModel, random_bundle
from tests.support.textgen.command import textgen as command
from tests.support.texts import hard_inputs
from tests.support.texts.whole import line_starts
from tests.textgen.conftest import prose
from textgen import bundle
from textgen.corpus.known_lines import KnownLines
from textgen.corpus.one_item_a_line import ItemLines, line_key
from textgen.errors import BundleError, SettingsError
from textgen.files import bundle_files
from textgen.model import TextModel
from textgen.sampling import SamplingSettings

_FIRST = ("An", "El", "Jo", "Ka", "Lu", "Mar", "Ros", "Sa", "Ti", "Vi")
_SECOND = ("bel", "do", "mi", "na", "ri", "sel", "ta", "van")
_THIRD = ("a", "er", "ette", "ine", "is", "o", "us")


def names(count: int) -> list[str]:
    draw = random.Random(5)
    return [
        f"{draw.choice(_FIRST)}{draw.choice(_SECOND)}{draw.choice(_THIRD)} "
        f"{draw.choice(_FIRST)}{draw.choice(_SECOND)}son"
        for _ in range(count)
    ]


def words(draw: random.Random, least: int, most: int) -> str:
    return " ".join(
        draw.choice(_FIRST).lower() + draw.choice(_SECOND) for _ in range(draw.randint(least, most))
    )


_DRAW = random.Random(7)
ITEMS = {
    "names": names(200),
    "small letters": [name.lower() for name in names(200)],
    "titles": [words(_DRAW, 2, 9).title() for _ in range(100)],
    "tweets": [words(_DRAW, 3, 40).capitalize() + _DRAW.choice((".", "!", " #tag", "")) for _ in range(100)],
    "Chinese names": [chr(0x4E00 + n) + chr(0x5E00 + 7 * n) for n in range(300)],
}
OTHERS = {
    "sentences that repeat": prose(300).splitlines(),
    "verse": [words(_DRAW, 5, 7).capitalize() + _DRAW.choice((",", ",", ";", ".", "")) for _ in range(200)],
    "a play": [
        line for name in names(60) for line in (f"{name.upper()}:", words(_DRAW, 4, 20).capitalize() + ".")
    ],
    "paragraphs": [line for _ in range(60) for line in (words(_DRAW, 20, 60), "")],
    "long lines": [words(_DRAW, 70, 200) for _ in range(60)],
    "code": [line for name in names(60) for line in (f"def f({name[:5]}):", "    return 1")],
    "few lines": names(10),
}


def recognised(lines: list[str], size: int = 10_000) -> ItemLines | None:
    text = "\n".join(lines)
    found = ItemLines()
    for at in range(0, len(text), size):
        found.add(text[at : at + size])
    return found if found.found() else None


@pytest.mark.parametrize("lines", ITEMS.values(), ids=ITEMS.keys())
@pytest.mark.parametrize("size", [7, 10_000])
def test_one_item_a_line_is_recognised_and_its_lines_are_known(lines: list[str], size: int) -> None:
    found = recognised(lines, size)
    assert found is not None
    assert found.known == {line_key(line) for line in lines}


@pytest.mark.parametrize("lines", OTHERS.values(), ids=OTHERS.keys())
def test_other_texts_are_not_recognised_as_one_item_a_line(lines: list[str]) -> None:
    assert recognised(lines) is None


def test_wrapped_prose_is_rejected_early() -> None:
    assert recognised(textwrap.wrap(hard_inputs.PROSE * 3 + words(random.Random(1), 900, 900), 72)) is None
    found = ItemLines()
    found.add("a line that is said again\n" * 5_000)
    assert not found.known


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("names")
    (folder / "input.txt").write_text("\n".join(names(400)), encoding="utf-8")
    notes: list[str] = []
    textgen.train(folder, time_limit=1.0, on_event=lambda event: notes.extend(event.get("notes", ())))
    assert any(note.startswith("the text is one item a line") for note in notes)
    return folder


def known(line: str) -> bool:
    return line.strip().lower() in {name.lower() for name in names(400)}


def test_new_items_are_written_alone_and_together(trained: Path) -> None:
    model = textgen.load(trained / "model")
    assert model.manifest.items
    texts = model.generate("", count=12, stop="\n", random_seed=3)
    assert all(text.strip() and not known(text) for text in texts)
    assert model.generate("", stop="\n", random_seed=7) == texts[4]
    assert "".join(model.stream("", stop="\n", random_seed=7)) == texts[4]
    # Without it some would be copied, from the same fresh line.
    plain = model.generate("", count=100, temperature=0.4, stop="\n", random_seed=3, novel=False)
    assert any(map(known, plain))


def test_the_lines_of_a_long_text_are_new_too_with_every_control(trained: Path) -> None:
    model = textgen.load(trained / "model")
    for controls in ({}, {"repetition_penalty": 1.1, "top_p": 0.95}, {"stop": "\n\n"}):
        text = model.generate("", length=600, random_seed=1, **controls)  # type: ignore[arg-type]
        assert len(text) >= 590
        assert not any(map(known, text.split("\n")[:-1]))
        assert "".join(model.stream("", length=600, random_seed=1, **controls)) == text  # type: ignore[arg-type]


def test_a_seed_is_part_of_the_item(trained: Path) -> None:
    model = textgen.load(trained / "model")
    seed = names(400)[0][:6].lower()
    for sample in model.samples(seed, SamplingSettings(stop=("\n",), count=8, random_seed=1)):
        assert sample.seed == seed
        assert sample.copied_lines or not known(sample.seed + sample.text)


def test_a_sample_of_copies_only_ends_and_says_so(trained: Path) -> None:
    lines = SpellingModel("one\ntwo\n" * 30)
    lines.manifest = replace(lines.manifest, items=True)
    lines._known = KnownLines.of([line_key("one"), line_key("two")])
    for temperature in (0.0, 1.0):
        sample = lines.sample("", SamplingSettings(length=30, temperature=temperature, random_seed=1))
        assert sample.text == ("one\ntwo\n" * 30)[:30]
        assert sample.copied_lines == 7
    assert lines.sample("", SamplingSettings(length=30, temperature=0, novel=False)).copied_lines == 0


def test_the_command_writes_new_items_and_notes_what_it_cannot_check(trained: Path, tmp_path: Path) -> None:
    told = command(
        "sample", "--model", trained / "model", "--count", "5", "--stop", "\n", "--random-seed", "1", "--json"
    )
    samples = [json.loads(line) for line in told.stdout.splitlines()]
    assert [sample["seed"] for sample in samples] == [""] * 5
    assert not any(known(sample["text"]) for sample in samples)
    assert "one item a line" in command("inspect", trained / "model").stdout
    other = random_bundle()
    bundle.write(tmp_path / "other", other)
    told = command("sample", "--model", tmp_path / "other", "--novel", "--length", "9", "--random-seed", "1")
    assert "does not carry which lines stand in its corpus" in told.stderr
    plain = command("sample", "--model", tmp_path / "other", "--length", "9", "--random-seed", "1")
    assert plain.stdout == told.stdout
    assert "corpus" not in plain.stderr


def test_a_bundle_keeps_hashes_of_lines_unless_forbidden(trained: Path, tmp_path: Path) -> None:
    made = bundle.read(trained / "model")
    assert made.known is not None
    assert all(name in made.known for name in names(400))
    assert "Nobody Here" not in made.known
    assert names(400)[0] not in (trained / "model" / bundle_files.LINES).read_bytes().decode("latin-1")
    textgen.train(trained, output=tmp_path / "private", time_limit=1.0, keep_seeds=False)
    private = TextModel.load(tmp_path / "private")
    assert private.manifest.items
    assert not private.knows_lines
    assert not (tmp_path / "private" / bundle_files.LINES).exists()
    assert private.generate("", stop="\n", random_seed=1)


@pytest.mark.parametrize(
    "keys",
    [
        np.array([3, 2], np.uint32),
        np.array([2, 2], np.uint32),
        np.array([1, 2], np.uint64),
        np.array([[1, 2]], np.uint32),
        np.zeros(1_000_001, np.uint32),
    ],
)
def test_hostile_lines_are_refused(
    tmp_path: Path, keys: np.ndarray[tuple[int, ...], np.dtype[np.uint32]]
) -> None:
    bundle.write(tmp_path / "model", replace(random_bundle(), known=KnownLines(keys)))
    with pytest.raises(BundleError, match=r"known lines|lines\.safetensors has"):
        bundle.read(tmp_path / "model")


def test_a_bundle_of_an_earlier_version_has_no_items(tmp_path: Path) -> None:
    bundle.write(tmp_path / "model", random_bundle())
    path = tmp_path / "model" / bundle_files.MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    del manifest["items"]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert bundle.read(tmp_path / "model").manifest.items is False
    path.write_text(json.dumps({**manifest, "items": "yes"}), encoding="utf-8")
    with pytest.raises(BundleError, match="wrong kind"):
        bundle.read(tmp_path / "model")


def test_novel_is_true_false_or_left_out() -> None:
    with pytest.raises(SettingsError, match="novel is 'yes'; it can be true, false, or be left out"):
        SamplingSettings(novel="yes")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "Once there was a king. He had a daughter! Did she sing? "
        + hard_inputs.PROSE.replace("\n", " ") * 20,
        "one two three four five six seven eight nine " * 60,
        "天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往秋收冬藏" * 40,
    ],
)
def test_a_text_of_one_line_does_not_begin_every_sample_alike(text: str) -> None:
    starts = line_starts(text)
    assert len(starts) >= 4
    assert len({start[:20] for start in starts}) >= 4
    assert all(start in text for start in starts)
