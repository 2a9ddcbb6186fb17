"""Which of several models wrote a text: the ranking, "none of them", and what is refused.

`benchmarks/who.py` measures how often the answer is right.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.textgen.bundles import random_bundle
from textgen import bundle, tokenizers
from textgen.cli.authorship.who import command
from textgen.errors import SettingsError
from textgen.evaluation.authorship.who import who
from textgen.levels import LEVELS
from textgen.model import TextModel

TEXT = "the tin hat is on a tin lid and a stone"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models of the same text: the held-out loss of "near" is what both have on `TEXT`."""
    path = tmp_path_factory.mktemp("authors")
    made = random_bundle()
    loss = -float(TextModel(made).log_probabilities("\n" + TEXT).mean())
    for name, expected in (("near", loss), ("far", loss / 4)):
        bundle.write(path / name, replace(made, manifest=replace(made.manifest, validation_loss=expected)))
    return path


@pytest.fixture(scope="module")
def models(folder: Path) -> list[TextModel]:
    return [TextModel.load(folder / name) for name in ("far", "near")]


def test_the_model_whose_own_text_is_as_likely_comes_first(models: list[TextModel]) -> None:
    first, second = who(TEXT, models)
    assert (first.model, second.model) == (1, 0)
    assert first.nats_per_word == pytest.approx(second.nats_per_word)
    assert first.excess_per_word == pytest.approx(0, abs=1e-6)
    assert first.nats_per_word == pytest.approx(first.expected_per_word)
    assert not first.unlike
    assert second.unlike
    assert [each.excess for each in who(TEXT, models[::-1])] == [first.excess, second.excess]


def test_what_the_words_cost_is_what_the_text_costs(models: list[TextModel]) -> None:
    for each in who(f" {TEXT}\n\nthe  end ", models):
        nats, expected = zip(*each.words, strict=True)
        assert len(nats) == len(TEXT.split()) + 2
        assert sum(nats) == pytest.approx(each.nats_per_word * len(nats))
        assert sum(expected) == pytest.approx(each.expected_per_word * len(nats))
        lengths = [len(word) + 1 for word in TEXT.split()[1:-1]]
        loss = models[each.model].manifest.validation_loss
        assert expected[1:-3] == pytest.approx([length * loss for length in lengths])


@pytest.mark.parametrize("level", [level for level in LEVELS if level != "char"])
def test_words_are_told_apart_at_every_level(level: str) -> None:
    text = "To be, or not to be: that's “the” question. Étain, naïve ☃ 東京 " * 3
    model = TextModel(random_bundle(tokenizer=tokenizers.train(level, text)))
    (told,) = who(text, [model])
    assert len(told.words) == len(text.split())
    assert all(nats > 0 for nats, _ in told.words)


@pytest.mark.parametrize("text", ["", " \n" * 40, "too short"])
def test_a_text_that_tells_nothing_is_refused(models: list[TextModel], text: str) -> None:
    with pytest.raises(SettingsError, match="are needed"):
        who(text, models)


def test_a_model_without_a_held_out_loss_is_refused() -> None:
    made = random_bundle()
    blank = TextModel(replace(made, manifest=replace(made.manifest, validation_loss=0.0)))
    with pytest.raises(SettingsError, match="no loss on held-out text"):
        who(TEXT, [blank])


def test_at_the_shell(folder: Path) -> None:
    near, far = str(folder / "near"), str(folder / "far")
    told = CliRunner().invoke(command, [TEXT, "--model", far, "--model", near])
    assert told.exit_code == 0
    assert told.stdout.startswith(f"most likely {near}\n1. {near}: ")
    data = json.loads(CliRunner().invoke(command, ["-", "--model", far, "--json"], input=TEXT).stdout)
    assert data["none"] is True
    assert [each["model"] for each in data["models"]] == [far]
    assert CliRunner().invoke(command, [TEXT, "--model", far]).stdout.startswith("none of them\n")
    assert CliRunner().invoke(command, [TEXT]).exit_code == 2
