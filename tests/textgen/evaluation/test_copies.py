"""What stands word for word in a corpus is found, all of it and nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from textgen.evaluation.copies import CopyIndex, CopyIndices
from textgen.evaluation.memorization import memorization


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Words drawn from many, so that no long run comes twice by chance."""
    draw = random.Random(3)
    words = ["".join(draw.choices("abcdefghiklmnopqrstuvwy", k=draw.randint(2, 9))) for _ in range(3000)]
    text = "\n".join(" ".join(draw.choices(words, k=9)) for _ in range(1500))
    path = tmp_path_factory.mktemp("copies") / "corpus.txt"
    path.write_text(text, encoding="utf-8")
    return text, path


@pytest.mark.parametrize("longest", [20, 50, 51, 200])
def test_a_run_is_found_wherever_it_stands_if_it_is_one_too_long(corpus: tuple[str, Path], longest: int):
    text, path = corpus
    index = CopyIndex.of(path, longest)
    draw = random.Random(5)
    for _ in range(200):
        start = draw.randrange(len(text) - longest - 1)
        run = text[start : start + longest + 1]
        assert index.longest_copy(f"#{'-' * draw.randrange(40)}#{run}#") == longest + 1
        assert index.longest_copy(f"#{run[:-1]}#") == 0


@pytest.mark.slow
def test_the_length_is_that_of_the_slow_and_exact_way(corpus: tuple[str, Path]):
    text, path = corpus
    index = CopyIndex.of(path, 30)
    draw = random.Random(7)
    for _ in range(8):
        pieces = [text[at : at + draw.randrange(90)] for at in draw.choices(range(len(text) - 90), k=6)]
        sample = "#".join(pieces)
        exact = memorization([sample], text).longest
        assert index.longest_copy(sample) == (exact if exact > 30 else 0)


@pytest.mark.parametrize(
    "change", [str.upper, lambda run: run.replace(" ", "\n"), str.title], ids=["upper", "lines", "title"]
)
def test_case_and_line_breaks_do_not_hide_a_copy(corpus: tuple[str, Path], change):
    text, path = corpus
    assert CopyIndex.of(path, 50).longest_copy(change(text[1000:1100])) == 100


def test_length_is_counted_in_characters_not_in_bytes(tmp_path: Path):
    path = tmp_path / "corpus.txt"
    line = "Ünï 日本語の文章がここに続きます。" * 4
    path.write_text("x" * 77 + line, encoding="utf-8")
    assert CopyIndex.of(path, 20).longest_copy(f"!{line}!") == len(line)


@pytest.mark.parametrize(
    "content", ["", "short", "a" * 100_000, "ab" * 50_000], ids=["empty", "short", "a", "ab"]
)
def test_odd_corpora_are_no_trouble(tmp_path: Path, content: str):
    path = tmp_path / "corpus.txt"
    path.write_text(content, encoding="utf-8")
    kept = CopyIndices()
    assert kept.longest_copy("nothing of it", str(path), 50) == 0
    assert kept.longest_copy("a" * 300, str(path), 50) == (300 if content[:2] == "aa" else 0)
    assert kept.longest_copy("\ud800" * 60, str(path), 50) == 0


def test_a_corpus_that_is_deleted_is_forgotten(corpus: tuple[str, Path], tmp_path: Path):
    text, _ = corpus
    path = tmp_path / "corpus.txt"
    path.write_text(text, encoding="utf-8")
    kept = CopyIndices()
    assert kept.longest_copy(text[:90], str(path), 50) == 90
    path.unlink()
    assert kept.longest_copy(text[:90], str(path), 50) == 0
    path.write_text("another text altogether " * 9, encoding="utf-8")
    assert kept.longest_copy(text[:90], str(path), 50) == 0
