"""Training on from another model, on a new corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textgen
from tests.support.textgen.bundles import random_bundle, write_random_bundle
from tests.textgen.conftest import SMALL, prose
from textgen import bundle
from textgen.errors import BundleError, SettingsError, TrainingInterruptedError
from textgen.experts.counting import orders_of
from textgen.experts.kneser_ney import KneserNey
from textgen.training.fine_tuning import grown
from textgen.training.reporting.events import Control, Event

QUICK = {"batch_size": 8, "seq_length": 25}


@pytest.fixture
def accented(tmp_path: Path) -> Path:
    """Sentences like those of `corpus`, with letters that it lacks."""
    folder = tmp_path / "accented"
    folder.mkdir()
    (folder / "input.txt").write_text(prose(300).replace("the sea", "la mér"), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_fine_tuning_learns_faster_than_a_new_training(corpus: Path, accented: Path) -> None:
    textgen.train(corpus, num_epochs=6, learning_rate=0.01, **SMALL)
    anew = textgen.train(accented, output=accented / "anew", num_epochs=1, **SMALL)
    events: list[Event] = []
    on = textgen.train(
        accented, output=accented / "on", base=corpus / "model", num_epochs=1, on_event=events.append, **QUICK
    )
    assert on.validation_loss < anew.validation_loss - 0.3
    assert on.settings["base"]
    before, after = textgen.load(corpus / "model"), textgen.load(accented / "on")
    assert "é" in before.tokenizer.unseen("la mér")
    assert after.tokenizer.unseen("la mér") == []
    assert after.tokenizer.to_json()["symbols"].startswith(before.tokenizer.to_json()["symbols"])
    assert after.spec.units == before.spec.units
    assert len(after.generate("la mé", length=30)) == 30


@pytest.mark.parametrize("cell", ["lstm", "linear"])
def test_before_its_first_step_it_predicts_as_the_base_does(cell: Any, accented: Path) -> None:
    base = write_random_bundle(accented / "base", cell)
    bigger = random_bundle(cell)
    extended = base.tokenizer.extended(["ßw"])
    spec = type(base.spec).from_json({**base.spec.to_json(), "vocabulary": extended.size})
    first = {name: np.full(shape, 0.01, np.float32) for name, shape in spec.shapes().items()}
    experts = tuple(_in_larger_vocabulary(each, extended.size) for each in base.experts)
    model = textgen.model.TextModel(
        bundle.Bundle(spec, extended, grown(first, base.weights), bigger.manifest, experts)
    )
    old, new = textgen.load(accented / "base").next_token("the din"), model.next_token("the din")
    # The new symbols take a little of everything; among the old ones nothing has changed.
    kept = 1 - sum(probability for name, probability in new.items() if name not in old)
    assert 0 < kept < 1
    for name, probability in old.items():
        # Counted n-grams give something to new tokens too, by which the old ones' share is a little less.
        assert new[name] / kept == pytest.approx(probability, rel=0.05 if experts else 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("symbols", [1_000, 1_400], ids=["fed the counts", "longer n-grams"])
def test_a_vocabulary_may_grow_beyond_every_limit_of_the_network(tmp_path: Path, symbols: int) -> None:
    """With more than 1,024 symbols the counts are no input, with more than 1,448 they are shorter."""
    random = np.random.default_rng(1)
    for name, most in (("few", symbols), ("many", symbols + 100)):
        lines = random.choice([chr(0x4E00 + number) for number in range(most)], (400, 12))
        every = "".join(chr(0x4E00 + number) for number in range(most))
        (tmp_path / f"{name}.txt").write_text(every + "\n" + "\n".join(map("".join, lines)), encoding="utf-8")
    small = {"num_epochs": 1, **QUICK}
    base = textgen.train(
        tmp_path / "few.txt", output=tmp_path / "few", cell="linear", rnn_size=16, num_layers=1, **small
    )
    on = textgen.train(tmp_path / "many.txt", output=tmp_path / "many", base=tmp_path / "few", **small)
    assert base.vocabulary <= symbols + 2 < on.vocabulary
    assert len(textgen.load(tmp_path / "many").generate(chr(0x4E00 + symbols + 50), length=20)) == 20


def _in_larger_vocabulary(counted: Any, size: int) -> KneserNey:
    order = counted.order
    keys = counted._longest(order, size)
    places = np.argsort(keys)
    return KneserNey(size, orders_of(size, order, keys[places], counted.orders[-1].counts[places]))


@pytest.mark.slow
def test_it_can_be_resumed_and_only_with_the_same_base(corpus: Path, accented: Path) -> None:
    textgen.train(corpus, num_epochs=1, **SMALL)
    control = Control()
    control.cancel()
    with pytest.raises(TrainingInterruptedError):
        textgen.train(accented, base=corpus / "model", control=control, **QUICK)
    events: list[Event] = []
    textgen.train(accented, base=corpus / "model", resume=True, num_epochs=1, on_event=events.append, **QUICK)
    assert events[0]["resumed"] is True


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ({"rnn_size": 99}, "rnn_size is 99 and the base has 24"),
        ({"cell": "gru"}, "cell is 'gru' and the base has 'lstm'"),
        ({"level": "word"}, "level is 'word' and the base has 'char'"),
        ({"vocabulary_size": 9}, "vocab_size cannot be given with a base"),
    ],
)
def test_a_flag_that_asks_for_another_network_is_refused(
    accented: Path, flags: dict[str, Any], says: str
) -> None:
    write_random_bundle(accented / "base")
    with pytest.raises(SettingsError, match=says):
        textgen.train(accented, base=accented / "base", **flags)
    assert not (accented / "model").exists()


def test_a_base_that_is_not_there_is_refused(accented: Path) -> None:
    with pytest.raises(BundleError, match="is not there"):
        textgen.train(accented, base=accented / "nowhere")
