"""`textgen train --base NAME`: real fine-tunings of a tiny base, and all that can stand in their way."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import textgen
from benchmarks.repeats import repeated_share
from tests.support.textgen import bases as tiny
from tests.textgen.conftest import prose
from textgen import bundle
from textgen.errors import BundleError, OutOfMemoryError, SettingsError, TrainingInterruptedError
from textgen.evaluation import overlapping_windows
from textgen.files import bundle_files
from textgen.model import TextModel
from textgen.pretrained import store
from textgen.training import memory
from textgen.training.reporting.events import Control, Event
from textgen.training.tuning.windows import ShuffledWindows, fit_to_corpus

QUICK: dict[str, Any] = {
    "base": "tiny",
    "num_epochs": 1,
    "seq_length": 64,
    "batch_size": 4,
    "learning_rate": 0.02,
}


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "prose.txt"
    path.write_text(prose(260), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tuned(added: Path, text: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    """A bundle of a fine-tuned base, and the events of its training."""
    events: list[Event] = []
    output = tmp_path_factory.mktemp("tuned") / "model"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEXTGEN_BASES", str(added))
        textgen.train(text, output=output, on_event=events.append, **QUICK)
    return output, events


@pytest.mark.slow
def test_there_is_a_model_at_once_and_training_improves_it(tuned: tuple[Path, list[Event]]) -> None:
    path, events = tuned
    kinds = [event["event"] for event in events]
    assert kinds[:3] == ["started", "checkpoint", "sample"]
    losses = [event["validation_loss"] for event in events if event["event"] == "checkpoint"]
    assert losses[-1] < losses[0]
    manifest = bundle.read_manifest(path)
    assert (manifest.cell, manifest.level, manifest.stopped) == ("llama", "subword", "epochs")
    assert manifest.validation_loss <= losses[0]


@pytest.mark.slow
def test_the_bundle_holds_the_change_and_names_its_base(tuned: tuple[Path, list[Event]]) -> None:
    path, _ = tuned
    base = store.find("tiny")
    assert json.loads((path / bundle_files.TOKENIZER).read_text()) == {"base_sha256": base.sha256}
    made = bundle.read(path)
    assert made.spec.base == "tiny"
    assert any(array.any() for name, array in made.weights.items() if name.endswith(".up"))
    # Written in 16 bits, read in 32: reading and writing again changes nothing.
    for name, array in made.weights.items():
        assert array.dtype == np.float32
        assert np.array_equal(array, array.astype(np.float16).astype(np.float32)), name


@pytest.mark.slow
def test_it_writes_and_measures_like_every_model(tuned: tuple[Path, list[Event]]) -> None:
    path, _ = tuned
    model = textgen.load(path)
    texts = model.generate("The cat", count=2, length=12, random_seed=3)
    assert texts[0] == model.generate("The cat", length=12, random_seed=3)
    assert copy.deepcopy(model).generate("The cat", length=12, random_seed=3) == texts[0]
    held_out = prose(300)[-600:]
    figures = overlapping_windows(model, held_out)
    assert figures.protocol == "windows, half overlap"
    found = model.log_probabilities(held_out)
    assert figures.tokens == len(found)
    assert figures.nats_per_token == pytest.approx(-found.mean(), abs=0.15)
    # What the loop measured in Keras is what is served.
    assert figures.nats_per_token == pytest.approx(bundle.read_manifest(path).validation_loss, rel=0.2)


def test_one_of_an_earlier_version_writes_what_it_wrote_and_a_new_one_repeats_itself_less(
    tuned: tuple[Path, list[Event]], tmp_path: Path
) -> None:
    earlier = shutil.copytree(tuned[0], tmp_path / "model")
    manifest = json.loads((earlier / bundle_files.MANIFEST).read_text())
    assert (manifest.pop("sampling"), manifest["format"]) == (2, bundle_files.FORMAT)
    (earlier / bundle_files.MANIFEST).write_text(json.dumps({**manifest, "format": 3}))
    before, after = TextModel.load(earlier), TextModel.load(tuned[0])
    # A code names one of them, and not the other.
    assert before.fingerprint != after.fingerprint

    def texts(model: TextModel, temperature: float) -> list[str]:
        return model.generate("The cat", length=300, temperature=temperature, count=8, random_seed=1)  # type: ignore[return-value]

    def repeated(model: TextModel, temperature: float) -> float:
        return statistics.mean(map(repeated_share, texts(model, temperature)))

    assert texts(before, 1.0) == texts(after, 1.0)
    assert texts(after, 0.3) == [
        after.generate("The cat", length=300, temperature=0.3, random_seed=1 + n) for n in range(8)
    ]
    assert repeated(after, 0.3) < repeated(before, 0.3) - 0.1


@pytest.mark.slow
def test_a_cancelled_training_resumes_to_the_same_weights(
    tuned: tuple[Path, list[Event]], text: Path, tmp_path: Path
) -> None:
    control = Control()

    def cancel(event: Event) -> None:
        if event["event"] == "checkpoint" and event["step"] > 0:
            control.cancel()

    with pytest.raises(TrainingInterruptedError):
        textgen.train(text, output=tmp_path / "model", control=control, on_event=cancel, **QUICK)
    resumed: list[Event] = []
    textgen.train(text, output=tmp_path / "model", resume=True, on_event=resumed.append, **QUICK)

    assert resumed[0]["resumed"]
    for name, array in bundle.read(tuned[0]).weights.items():
        assert np.array_equal(bundle.read(tmp_path / "model").weights[name], array), name


def test_a_fine_tuned_model_is_continued(tuned: tuple[Path, list[Event]], text: Path, tmp_path: Path) -> None:
    textgen.train(text, output=tmp_path / "model", **{**QUICK, "base": tuned[0], "time_limit": 1.0})

    before, after = bundle.read(tuned[0]), bundle.read(tmp_path / "model")
    assert after.manifest.stopped == "time limit before the first step"
    assert after.spec == before.spec
    for name, array in before.weights.items():
        assert name == "mixture" or np.array_equal(after.weights[name], array), name


def test_an_absent_base_is_named(
    tuned: tuple[Path, list[Event]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTGEN_BASES", str(tmp_path / "other"))
    with pytest.raises(BundleError, match=r"needs the base tiny \(SHA-256 [0-9a-f]{12}…\), which is not on"):
        textgen.load(tuned[0])
    tiny.add("tiny", tiny.spec(layers=1))
    with pytest.raises(BundleError, match="tiny here is another version of it: `textgen base add SOURCE`"):
        textgen.load(tuned[0])


def rewrite(source: Path, place: Path, name: str, data: bytes) -> Path:
    """Copy a bundle with another file in it, whose hash the manifest states."""
    shutil.copytree(source, place)
    (place / name).write_bytes(data)
    manifest = json.loads((place / bundle_files.MANIFEST).read_text())
    manifest["files"][name]["sha256"] = hashlib.sha256(data).hexdigest()
    (place / bundle_files.MANIFEST).write_text(json.dumps(manifest))
    return place


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"prior": 1}, "prior is 1; it must be a whole number from 2 to"),
        ({"rank": 257}, "rank is 257; it must be a whole number from 1 to 256"),
        ({"rank": 4}, "the weights do not fit the spec, beginning with layer0"),
        ({"base_sha256": "no"}, "the base's SHA-256 is 'no'; it has 64 digits"),
        ({"base_sha256": "0" * 64}, "tokenizer.json and spec.json name different bases"),
        ({"base": ""}, "the base's name is ''"),
        ({"mood": 1}, "spec.json differs in"),
    ],
)
def test_a_spec_that_does_not_fit_is_refused(
    tuned: tuple[Path, list[Event]], tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    spec = {**json.loads((tuned[0] / bundle_files.SPEC).read_text()), **change}
    place = rewrite(tuned[0], tmp_path / "model", bundle_files.SPEC, json.dumps(spec).encode())
    with pytest.raises(BundleError, match=reason):
        textgen.load(place)


def test_a_bundle_that_contradicts_its_base_is_refused(
    tuned: tuple[Path, list[Event]], tmp_path: Path
) -> None:
    spec = json.loads((tuned[0] / bundle_files.SPEC).read_text())
    spec["network"]["rope_base"] = 5.0
    place = rewrite(tuned[0], tmp_path / "model", bundle_files.SPEC, json.dumps(spec).encode())
    with pytest.raises(BundleError, match="gives its base other sizes than the base has"):
        textgen.load(place)


@pytest.mark.parametrize("share", [0.0, 1.5, -1.0, float("nan")])
def test_a_mixture_without_shares_is_refused(
    tuned: tuple[Path, list[Event]], tmp_path: Path, share: float
) -> None:
    arrays = safetensors.numpy.load((tuned[0] / bundle_files.WEIGHTS).read_bytes())
    arrays["mixture"][:] = share
    place = rewrite(tuned[0], tmp_path / "model", bundle_files.WEIGHTS, safetensors.numpy.save(arrays))
    with pytest.raises(BundleError, match="the weights mixture are not"):
        textgen.load(place)


def test_a_base_that_is_removed_meanwhile_is_kept_to_the_end(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTGEN_BASES", str(tmp_path / "bases"))
    tiny.add("brief")

    def remove(event: Event) -> None:
        if event["event"] == "started":
            store.remove("brief")

    flags = {**QUICK, "base": "brief", "time_limit": 1.0}
    textgen.train(text, output=tmp_path / "model", on_event=remove, **flags)
    with pytest.raises(BundleError, match="needs the base tiny"):
        textgen.load(tmp_path / "model")


def test_an_unknown_base_lists_what_there_is(text: Path) -> None:
    with pytest.raises(BundleError, match="there is no base 'tinny' on this host; there are tiny"):
        textgen.train(text, base="tinny")


@pytest.mark.parametrize("flag", [{"cell": "lstm"}, {"level": "char"}, {"rnn_size": 64}, {"preset": "small"}])
def test_flags_of_another_network_are_refused(text: Path, flag: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=f"{next(iter(flag))} is .* brings its network"):
        textgen.train(text, base="tiny", **flag)


def test_too_little_memory_is_told_before_anything_is_read_by_the_base(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available", lambda: 100_000_000)
    with pytest.raises(
        OutOfMemoryError, match=r"fine-tuning tiny needs about 1\.\d GB .* and 0\.1 GB are free"
    ):
        textgen.train(text, output=tmp_path / "model", base="tiny")
    assert not (tmp_path / "model").exists()


def test_windows_cover_the_text_once_in_each_pass() -> None:
    tokens = np.arange(1, 1000, dtype=np.uint16)
    windows = ShuffledWindows(tokens, 3, 20, random_seed=1)
    passes = []
    for number in range(2):
        first = number * windows.batches
        found = np.concatenate([windows.windows(index) for index in range(first, first + windows.batches)])
        assert found.shape == (3 * windows.batches, 21)
        # Each window is a piece of the text, and no two share a token that they predict.
        assert (np.diff(found, axis=1) == 1).all()
        assert len(set(found[:, 1:].ravel().tolist())) == found[:, 1:].size >= 900
        passes.append(found)
    assert not np.array_equal(*passes)
    assert np.array_equal(windows.windows(7), windows.windows(7))


def test_batches_shrink_to_a_short_text() -> None:
    assert fit_to_corpus(100_000, 2, 256) == (2, 256)
    assert fit_to_corpus(400, 4, 256) == (4, 99)
    assert fit_to_corpus(40, 4, 256) == (2, 16)
