"""The engine of a page, in Node: the same text as the library, to the letter."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textgen
from tests.support.textgen.pages import babel, counted_bundle, in_node, page_at
from tests.textgen.conftest import prose
from textgen.bundle import Bundle
from textgen.experts.expert import LOGS
from textgen.model import TextModel
from textgen.sampling import SamplingSettings

TYPED = (
    "",
    "The king",
    "“Nobody’s” dog—sees",
    "A dog\r\nsees\u200b",
    "ＴＨＥ ﬁsh",
    "zz 😀 The",
    "...",
    "\t",
    "e\u0301",
)


def job(seed: str, temperature: float, random_seed: int, length: int, **more: Any) -> dict[str, Any]:
    values = {"seed": seed, "temperature": temperature, "randomSeed": str(random_seed), "length": length}
    return {"kind": "write", **values, **more}


def sampled(model: TextModel, asked: dict[str, Any]) -> tuple[str, str]:
    settings = SamplingSettings(
        length=asked["length"], temperature=asked["temperature"], random_seed=int(asked["randomSeed"])
    )
    sample = model.sample(asked["seed"], settings)
    return sample.seed, sample.text


def assert_same(tmp_path: Path, bundle: Bundle, jobs: list[dict[str, Any]]) -> list[str]:
    written = in_node(page_at(tmp_path / "page.html", bundle), jobs)
    model = TextModel(bundle)
    for asked, found in zip(jobs, written, strict=True):
        assert (found["seed"], found["text"]) == sampled(model, asked), asked
    return [found["text"] for found in written]


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"experts": ()},
        {"experts": ("long",)},
        {"experts": ("words", "long")},
        {"experts": (), "prior": 3},
        {"experts": (), "prior": 0},
        {"expansion": 2},
        {"units": 13},
    ],
    ids=str,
)
@pytest.mark.slow
def test_every_form_of_the_network_writes_what_the_library_writes(
    tmp_path: Path, sizes: dict[str, Any]
) -> None:
    jobs = [job("The", temperature, 3, 300) for temperature in (0, 0.5, 1, 1.5)]
    texts = assert_same(tmp_path, counted_bundle(prose(200), **sizes), jobs)
    assert len(set(texts)) == len(texts)


def test_words_that_differ_at_their_beginning_alone_are_told_apart(tmp_path: Path) -> None:
    # More letters than are compared as one number: the names are told apart by their first letters.
    names = [f"{first}{'-'.join(['abcdefghij'] * 3)}" for first in "xyzuvw"]
    text = "".join(f"{names[n % 6]} sees {names[n * n % 5]}.\n" for n in range(60)) + prose(60)
    assert_same(tmp_path, counted_bundle(text), [job("", 1, seed, 200) for seed in range(3)])


def test_compiled_and_plain_products_write_the_same(tmp_path: Path) -> None:
    jobs = [job("", 0.8, 2**62 + 11, 400, compiled=compiled) for compiled in (True, False)]
    bundle = counted_bundle(prose(200))
    assert_same(tmp_path, bundle, jobs)
    compiled, plain = in_node(tmp_path / "page.html", jobs)
    assert (compiled["compiled"], plain["compiled"]) == (True, False)


def test_marks_flags_and_ideographs_are_never_torn(tmp_path: Path) -> None:
    jobs = [job("", 1, seed, length) for seed in range(4) for length in (1, 2, 3, 50, 203)]
    assert_same(tmp_path, counted_bundle(babel(6_000), seeds=("naïve ",)), jobs)


def test_a_row_of_blanks_ends_at_a_low_temperature(tmp_path: Path) -> None:
    jobs = [job("        ", temperature, 1, 300) for temperature in (0.2, 0.9, 1, 2)]
    assert_same(tmp_path, counted_bundle("a" + " " * 30 + "b c\n" + prose(60) + "      x" * 20), jobs)


def test_a_typed_seed_is_read_as_the_library_reads_it(tmp_path: Path) -> None:
    bundle = counted_bundle(prose(100) + "'\"-e\u0301")
    page, model = page_at(tmp_path / "page.html", bundle), TextModel(bundle)
    known = [typed for typed in TYPED if typed.strip()]
    read = in_node(page, [{"kind": "seed", "seed": typed} for typed in known])
    expected = []
    for typed in known:
        try:
            expected.append(model.check_seed(typed))
        except textgen.SettingsError:
            expected.append("")
    assert read == expected


def test_random_numbers_and_logarithms_are_pythons_to_the_bit(tmp_path: Path) -> None:
    seeds = [0, 1, 7, 2**32 - 1, 2**32, 2**63 - 1]
    page = page_at(tmp_path / "page.html", counted_bundle(prose(20)))
    jobs: list[dict[str, Any]] = [{"kind": "random", "seed": str(seed), "many": 1_300} for seed in seeds]
    *numbers, logs = in_node(page, [*jobs, {"kind": "logs"}])
    for seed, found in zip(seeds, numbers, strict=True):
        draw = random.Random(seed)
        assert found == [draw.random() for _ in range(1_300)]
    assert logs == LOGS.view(np.uint32).tolist()


@pytest.mark.slow
def test_ten_thousand_characters_of_a_trained_model_are_the_same(tmp_path: Path, corpus: Path) -> None:
    textgen.train(str(corpus), output=str(tmp_path / "model"), time_limit=8)
    model = textgen.load(tmp_path / "model")
    jobs = [job("", temperature, 5, 10_000) for temperature in (0.4, 0.8, 1.2)]
    assert_same(tmp_path, model._bundle, jobs)  # type: ignore[arg-type]
