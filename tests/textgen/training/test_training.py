"""Real trainings of seconds."""

from __future__ import annotations

import math
import threading
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import textgen
from tests.textgen.conftest import SMALL, prose
from textgen import bundle
from textgen.errors import CorpusError, SettingsError, TrainingError, TrainingInterruptedError
from textgen.settings.training import TrainingSettings
from textgen.training.checkpoints.lock import exclusive
from textgen.training.loop.divergence import DivergedError, LossWatch
from textgen.training.reporting.events import Control, Event


@pytest.mark.slow
def test_a_training_learns_and_emits_events(corpus: Path) -> None:
    events: list[Event] = []
    manifest = textgen.train(corpus, on_event=events.append, num_epochs=12, learning_rate=0.01, **SMALL)

    kinds = Counter(event["event"] for event in events)
    assert events[0]["event"] == "started"
    assert events[0]["device"] == "cpu"
    assert events[0]["resumed"] is False
    assert events[-1]["event"] == "finished"
    assert events[-1]["stopped"] == "epochs"
    assert kinds["checkpoint"] == kinds["sample"] == 48
    assert all(0 <= event["fraction"] <= 1 for event in events if event["event"] == "progress")

    counts = Counter(prose(700))
    total = counts.total()
    guessing = -sum(count / total * math.log(count / total) for count in counts.values())
    assert manifest.validation_loss < guessing / 2
    assert manifest.history[-1]["validation_loss"] < manifest.history[0]["validation_loss"]

    model = textgen.load(corpus / "model")
    assert model.manifest == manifest
    assert model.tokenizer.unseen(prose(50)) == []
    text = model.generate("The ", length=400, temperature=0.3, random_seed=1)
    words = set(prose(700).split())
    known = [word for word in text.split()[:-1] if word in words]
    assert len(known) / len(text.split()) > 0.5


@pytest.mark.slow
def test_the_served_model_has_the_reported_loss(corpus: Path) -> None:
    (corpus / "validate.txt").write_text(prose(900)[-4_000:], encoding="utf-8")
    manifest = textgen.train(corpus, num_epochs=2, **SMALL)
    model = textgen.load(corpus / "model")
    measured = -model.log_probabilities((corpus / "validate.txt").read_text()).mean()
    assert measured == pytest.approx(manifest.validation_loss, rel=0.03)


@pytest.mark.slow  # `make test` has the short form of the fault that kills a trainer, which asserts the same
@pytest.mark.parametrize(
    "recipe",
    [
        pytest.param({**SMALL, "optimizer": "adam"}, id="lstm"),
        pytest.param({"preset": "tiny", "rnn_size": 16, "batch_size": 8}, id="linear"),
    ],
)
def test_a_resumed_training_ends_in_exactly_the_same_weights(
    corpus: Path, tmp_path: Path, recipe: dict[str, Any]
) -> None:
    flags = {**recipe, "num_epochs": 3, "dropout": 0.3}
    straight = tmp_path / "straight"
    textgen.train(corpus, output=straight, **flags)

    broken = tmp_path / "broken"
    for stop_after in (2,):
        control, seen = Control(), 0

        def stop(event: Event, control: Control = control, stop_after: int = stop_after) -> None:
            nonlocal seen
            seen += event["event"] == "checkpoint"
            if seen == stop_after:
                control.cancel()

        with pytest.raises(TrainingInterruptedError, match="resume goes on"):
            textgen.train(corpus, output=broken, control=control, on_event=stop, resume=True, **flags)
        assert not broken.exists()
    events: list[Event] = []
    textgen.train(corpus, output=broken, resume=True, on_event=events.append, **flags)
    assert events[0]["resumed"] is True

    for name, array in bundle.read(straight).weights.items():
        np.testing.assert_array_equal(bundle.read(broken).weights[name], array)
    losses = [
        [entry["validation_loss"] for entry in bundle.read(path).manifest.history]
        for path in (straight, broken)
    ]
    assert losses[0] == losses[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken", "corpus", "straight"]


def test_resuming_with_other_settings_is_refused_by_name(corpus: Path) -> None:
    control = Control()
    control.cancel()
    with pytest.raises(TrainingInterruptedError):
        textgen.train(corpus, control=control, **SMALL)
    with pytest.raises(TrainingError, match="another learning_rate; train without resume"):
        textgen.train(corpus, resume=True, learning_rate=0.5, **SMALL)


@pytest.mark.slow
def test_resuming_without_a_checkpoint_starts_from_the_beginning_with_a_note(corpus: Path) -> None:
    events: list[Event] = []
    textgen.train(corpus, resume=True, on_event=events.append, num_epochs=1, **SMALL)
    assert events[0]["resumed"] is False
    assert any("starts anew" in note for note in events[0]["notes"])


@pytest.mark.slow
def test_finishing_early_keeps_the_best_so_far(corpus: Path) -> None:
    control = Control()

    def finish(event: Event) -> None:
        if event["event"] == "checkpoint":
            control.finish()

    manifest = textgen.train(corpus, control=control, on_event=finish, num_epochs=10_000, **SMALL)
    assert manifest.stopped == "finish requested"
    assert textgen.load(corpus / "model").generate(length=10)


@pytest.mark.slow
def test_a_time_limit_ends_an_endless_training(corpus: Path) -> None:
    manifest = textgen.train(corpus, num_epochs=1_000_000, time_limit=12, **SMALL)
    assert manifest.stopped == "time limit"
    assert manifest.steps > 1


@pytest.mark.slow
def test_early_stopping_ends_a_training_that_no_longer_improves(corpus: Path) -> None:
    manifest = textgen.train(corpus, num_epochs=500, patience=2, learning_rate=0.05, **SMALL)
    assert manifest.stopped == "patience"
    losses = [entry["validation_loss"] for entry in manifest.history]
    assert manifest.validation_loss == pytest.approx(min(losses), abs=1e-4)
    assert losses[-1] > min(losses)


def test_a_training_that_diverges_twice_fails_with_advice(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, keras: ModuleType
) -> None:
    textgen.train(corpus, time_limit=1.0)
    before = bundle.read_manifest(corpus / "model")
    monkeypatch.setattr(keras.Model, "train_on_batch", lambda *_, **__: {"loss": float("nan")})
    with pytest.raises(TrainingError, match=r"nothing was saved; try a lower learning_rate than 0\.001"):
        textgen.train(corpus, num_epochs=1, **SMALL)
    assert bundle.read_manifest(corpus / "model") == before


@pytest.mark.slow
def test_a_training_that_diverges_restarts_with_a_lower_learning_rate(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keras: ModuleType
) -> None:
    flags = {"preset": "tiny", "batch_size": 8, "seq_length": 16, "num_epochs": 1}
    slow = textgen.train(corpus, output=tmp_path / "slow", learning_rate=0.001, **flags)
    events: list[Event] = []
    learn, steps = keras.Model.train_on_batch, iter(range(1_000_000))

    def stumble(model: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        result: dict[str, float] = learn(model, *args, **kwargs)
        return {"loss": float("nan")} if next(steps) == 5 else result

    monkeypatch.setattr(keras.Model, "train_on_batch", stumble)
    again = textgen.train(
        corpus, output=tmp_path / "again", on_event=events.append, learning_rate=0.004, **flags
    )
    starts = [event for event in events if event["event"] == "started"]
    assert len(starts) == 2
    assert starts[1]["notes"] == [
        "the loss is nan after 5 steps: it begins again with a learning rate of 0.001 instead of 0.004"
    ]
    assert again.settings["learning_rate"] == 0.001
    # Nothing is left of the first try.
    for name, array in bundle.read(tmp_path / "slow").weights.items():
        np.testing.assert_array_equal(array, bundle.read(tmp_path / "again").weights[name])
    assert again.validation_loss == slow.validation_loss


@pytest.mark.slow
def test_loading_takes_nothing_from_the_learning_rates_schedule(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, keras: ModuleType
) -> None:
    learn, rates, control = keras.Model.train_on_batch, [], Control()

    def recorded(model: Any, *args: Any, **kwargs: Any) -> Any:
        rates.append(float(model.optimizer.learning_rate))
        control.cancel()
        return learn(model, *args, **kwargs)

    monkeypatch.setattr(keras.Model, "train_on_batch", recorded)
    flags = {"preset": "tiny", "num_layers": 1, "rnn_size": 16, "batch_size": 8, "seq_length": 16}
    # Of these seconds one or more have passed when the first step begins.
    with pytest.raises(TrainingInterruptedError):
        textgen.train(corpus, time_limit=60.0, learning_rate=0.01, control=control, **flags)
    assert rates[0] < 0.001, "the warm-up begins with the first step"


def test_a_loss_worse_than_guessing_is_divergence_but_one_bad_batch_is_not() -> None:
    watch = LossWatch(vocabulary=20)  # guessing costs 3 nats
    for step, loss in enumerate([3.0, 2.5, 8.0, 2.4, 2.3]):
        watch.see(loss, step)

    def stay_bad() -> None:
        for step in range(5, 100):
            watch.see(7.0, step)

    with pytest.raises(DivergedError, match=r"the loss has risen to 4\.\d after \d+ steps"):
        stay_bad()


def test_without_time_for_a_step_the_n_gram_model_is_saved(corpus: Path) -> None:
    manifest = textgen.train(corpus, time_limit=1.0)
    assert manifest.steps == 0
    assert manifest.stopped == "time limit before the first step"
    assert manifest.validation_loss < 2.5
    assert manifest.history[0]["step"] == 0
    assert len(textgen.load(corpus / "model").generate(length=50)) == 50


def test_asked_to_resume_without_a_checkpoint_it_needs_no_network_either(corpus: Path) -> None:
    events: list[Event] = []
    manifest = textgen.train(corpus, time_limit=1.0, resume=True, on_event=events.append)
    assert manifest.stopped == "time limit before the first step"
    assert "there is no checkpoint to resume: this training starts anew" in events[0]["notes"]


@pytest.mark.slow
def test_a_short_corpus_is_trained_in_smaller_batches_with_a_note(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_text(prose(20), encoding="utf-8")
    events: list[Event] = []
    manifest = textgen.train(tmp_path, on_event=events.append, num_epochs=1)
    assert any("the corpus is short: trained as" in note for note in events[0]["notes"])
    assert any("held out for validation" in note for note in events[0]["notes"])
    assert math.isfinite(manifest.validation_loss)


def test_two_trainings_of_one_bundle_exclude_each_other(corpus: Path) -> None:
    with (
        exclusive(corpus / "model.lock"),
        pytest.raises(TrainingError, match=r"another training is writing .*model; wait for it"),
    ):
        textgen.train(corpus, num_epochs=1, **SMALL)


def test_a_training_waits_for_the_one_before_it(corpus: Path) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with exclusive(corpus / "model.lock"):
            entered.set()
            leave.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(30)
    threading.Timer(0.5, leave.set).start()
    textgen.train(corpus, time_limit=1.0, lock_timeout=30)
    holder.join()
    assert not (corpus / "model.lock").exists()


def test_an_output_that_cannot_be_written_is_refused_before_training(corpus: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    with pytest.raises(TrainingError, match="cannot be made: Not a directory"):
        textgen.train(corpus, output=blocked / "deeper" / "model", **SMALL)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"num_epochs": 0}, "num_epochs is 0"),
        ({"preset": "gigantic"}, "preset is 'gigantic'; it can be classic, tiny"),
        ({"cell": "transformer"}, "cell is 'transformer'"),
        ({"time_limit": -5}, "time_limit is -5"),
        ({"rnn_size": 4_096, "num_layers": 32}, "parameters; at most"),
    ],
)
def test_settings_out_of_bounds_are_refused(corpus: Path, flags: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        textgen.train(corpus, **flags)
    assert sorted(path.name for path in corpus.iterdir()) == ["input.txt"]


def test_a_validation_text_that_is_too_short_is_refused(corpus: Path) -> None:
    (corpus / "validate.txt").write_text("short", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"validate\.txt has 5 characters; at least 100"):
        textgen.train(corpus, **SMALL)


@pytest.mark.parametrize(
    ("steps", "more", "worth_it"),
    [
        (5_000, {}, True),
        (50, {}, False),
        (5_000, {"cell": "lstm"}, False),
        (5_000, {"time_limit": 10.0}, False),
        (5_000, {"time_limit": 60.0}, True),
    ],
)
def test_xla_is_used_only_if_it_saves_time(steps: int, more: dict[str, Any], worth_it: bool) -> None:
    from textgen.training.loop import optimizing  # it loads Keras, see the fixture of that name

    settings = TrainingSettings.from_flags("tiny", **more)
    assert optimizing.worth_compiling(settings, parameters=40_000, steps=steps) is worth_it
