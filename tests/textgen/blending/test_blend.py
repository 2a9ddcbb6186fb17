"""Blends of two models: what each mix is, and that they fit each other."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.support.textgen.bundles import SpellingModel, random_bundle
from tests.support.textgen.pages import counted_bundle
from tests.textgen.conftest import prose
from textgen import bundle as bundles
from textgen import tokenizers
from textgen.blending import blend
from textgen.cli import cli
from textgen.errors import SettingsError
from textgen.model import TextModel
from textgen.sampling import SamplingSettings

SETTINGS = SamplingSettings(length=200, temperature=0.9, random_seed=5, count=5)
NUMBERS = "".join(f"{n} Äpfel und {n * n} Birnen,\n" for n in range(300))


@pytest.fixture(scope="module")
def first() -> TextModel:
    return TextModel(counted_bundle(prose(200)))


@pytest.fixture(scope="module")
def second() -> TextModel:
    return TextModel(counted_bundle(NUMBERS, seeds=("7 Äpfel",)))


def test_the_ends_are_the_models_themselves(first: TextModel, second: TextModel) -> None:
    assert blend(first, second, 0).samples("The", SETTINGS) == first.samples("The", SETTINGS)
    assert blend(first, second, 1).samples("7", SETTINGS) == second.samples("7", SETTINGS)


def test_a_half_is_symmetric_and_uses_the_symbols_of_both(first: TextModel, second: TextModel) -> None:
    one, other = blend(first, second, 0.5), blend(second, first, 0.5)
    assert one.samples("", SETTINGS) == other.samples("", SETTINGS)
    written = set("".join(sample.text for sample in one.samples("", SETTINGS)))
    assert written & (set(NUMBERS) - set(prose(200)))
    assert written & (set(prose(200)) - set(NUMBERS))


def test_probabilities_are_the_normalised_product(first: TextModel, second: TextModel) -> None:
    both = blend(first, second, 0.3).next_token("ende")  # letters that both know
    assert sum(both.values()) == pytest.approx(1)
    alone = first.next_token("ende"), second.next_token("ende")
    shared = (set(alone[0]) & set(alone[1])) - {"�"}
    assert len(shared) > 5
    products = {symbol: alone[0][symbol] ** 0.7 * alone[1][symbol] ** 0.3 for symbol in shared}
    scale = sum(both[symbol] for symbol in shared) / sum(products.values())
    for symbol in shared:
        assert both[symbol] == pytest.approx(products[symbol] * scale, rel=1e-9)


def test_a_text_is_the_same_alone_and_in_a_batch(first: TextModel, second: TextModel) -> None:
    both = blend(first, second, 0.4)
    together = both.samples("The", SETTINGS)
    assert [both.sample("The", settings) for settings in SETTINGS.candidates()] == together


def test_probabilities_of_a_text_are_those_of_single_steps(first: TextModel, second: TextModel) -> None:
    both = blend(first, second, 0.4)
    text = "The cat 7 Äpfel"
    read = both.log_probabilities(text)
    steps = [np.log(both.next_token(text[:end])[text[end]]) for end in range(1, len(text))]
    assert read == pytest.approx(np.array(steps), abs=1e-9)


def test_a_blend_predicts_interleaved_text_better_than_either(first: TextModel, second: TextModel) -> None:
    lines = zip(prose(40).splitlines(), NUMBERS.splitlines(), strict=False)
    text = "\n".join(line for pair in lines for line in pair)
    losses = [-blend(first, second, mix).log_probabilities(text).mean() for mix in (0.0, 0.5, 1.0)]
    assert losses[1] < min(losses[0], losses[2])


def test_a_blend_is_copied_as_its_two_models(first: TextModel, second: TextModel) -> None:
    both = blend(first, second, 0.4)
    again = pickle.loads(pickle.dumps(both))  # noqa: S301 -- our own
    assert again.samples("The", SETTINGS) == both.samples("The", SETTINGS)
    assert both.memory == first.memory + second.memory


def test_tokens_that_do_not_fit_get_one_line(first: TextModel) -> None:
    words = tokenizers.train("word", prose(50), pristine_input=True)
    model = SpellingModel("the end", words)
    with pytest.raises(SettingsError, match="two models of level char can be blended"):
        blend(first, model, 0.5)
    with pytest.raises(SettingsError, match="mix"):
        blend(first, first, 1.5)


def test_equal_tokens_of_another_level_can_be_blended() -> None:
    words = tokenizers.train("word", prose(50), pristine_input=True)
    one = SpellingModel("The cat sees the moon", words)
    assert blend(one, SpellingModel("The cat sees", words), 0.5).tokenizer is words


def sample(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["sample", *map(str, arguments)])


def test_the_shell_blends_two_models(tmp_path: Path, first: TextModel, second: TextModel) -> None:
    places = [tmp_path / "one", tmp_path / "two"]
    bundles.write(places[0], counted_bundle(prose(200)))
    bundles.write(places[1], counted_bundle(NUMBERS, seeds=("7 Äpfel",)))
    asked = ("--random-seed", "5", "--length", "80", "--seed", "The")
    done = sample(places[0], "--with", places[1], "--mix", "0.4", *asked)
    assert done.exit_code == 0, done.output
    expected = blend(first, second, 0.4).generate("The", length=80, random_seed=5)
    assert done.stdout == f"The{expected}\n"
    assert sample(places[0], "--with", places[1], *asked).stdout != done.stdout
    assert "--with" in sample(places[0], "--mix", "0.4").output
    told = sample(places[0], "--with", places[1], "--mix", "0.4", *asked, "--receipt")
    (tmp_path / "text.txt").write_text(f"{told.stdout}{told.stderr.splitlines()[-1]}", encoding="utf-8")
    both = ["--model", str(places[0]), "--model", str(places[1])]
    for given in (both, both[2:] + both[:2]):
        checked = CliRunner().invoke(cli, ["verify", str(tmp_path / "text.txt"), *given])
        assert checked.output == "yes, to the letter\n"
    alone = CliRunner().invoke(cli, ["verify", str(tmp_path / "text.txt"), *both[:2]])
    assert "this model is not the one that the code names" in str(alone.exception)
    bundles.write(tmp_path / "three", random_bundle("lstm"))
    assert sample(places[0], "--with", tmp_path / "three", *asked).exit_code == 0
