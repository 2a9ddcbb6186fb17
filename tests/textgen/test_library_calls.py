"""What callers of the library hand over: NumPy's numbers, unknown keywords, texts where a path belongs."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textgen
from tests.support.textgen.bundles import random_bundle
from textgen import BundleError, CorpusError, SettingsError, TextgenError, TrainingError
from textgen.evaluation import random_windows
from textgen.model import TextModel
from textgen.settings.training import TrainingSettings

MODEL = TextModel(random_bundle())
CONTROLS: dict[str, Any] = {"length": 40, "random_seed": 7, "temperature": 0.5, "top_k": 5, "top_p": 0.5}
TEXT = "To be or not to be. " * 400


@pytest.mark.parametrize(
    "controls",
    [
        {"random_seed": np.int64(7)},
        {"random_seed": np.uint64(7), "length": np.array(40)},
        {"length": np.int8(40), "top_k": np.int32(5), "count": np.int16(1)},
        {"temperature": np.float32(0.5), "top_p": np.float16(0.5)},
        {"temperature": np.float64(0.5), "top_p": np.array(0.5)},
    ],
)
def test_numbers_of_numpy_are_numbers(controls: dict[str, Any]) -> None:
    want = MODEL.generate("the ", **CONTROLS)
    assert MODEL.generate("the ", **{**CONTROLS, **controls}) == want
    controls.pop("count", None)
    assert "".join(MODEL.stream("the ", **{**CONTROLS, **controls})) == want


def test_numbers_of_numpy_train_and_evaluate() -> None:
    settings = TrainingSettings.from_flags(
        rnn_size=np.int64(64), dropout=np.float32(0.5), random_seed=np.array(3), time_limit=np.float64(9),
        vocab_size=np.uint16(90), no_seeds=np.True_, pristine_input=np.False_, checkpoint_seconds=np.int8(2),
    )  # fmt: skip
    assert settings == TrainingSettings.from_flags(
        rnn_size=64, dropout=0.5, random_seed=3, time_limit=9.0, vocabulary_size=90, keep_seeds=False,
        checkpoint_s=2,
    )  # fmt: skip
    assert all(type(value).__module__ == "builtins" for value in settings.fingerprint().values())
    text = "the end. " * 20
    asked = {"window": np.int64(8), "windows": np.array(4), "random_seed": np.int32(1)}
    assert random_windows(MODEL, text, **asked) == random_windows(MODEL, text, window=8, windows=4)


Call = Callable[[], object]
WRONG: list[tuple[Call, type[TextgenError], str]] = [
    (lambda: MODEL.generate("a", lenght=5), SettingsError, "'lenght' (did you mean length?)"),
    (lambda: MODEL.stream("a", tempo=1), SettingsError, "no setting 'tempo'"),
    (lambda: MODEL.generate("a", length=np.True_), SettingsError, "length is True"),
    (lambda: MODEL.generate("a", length=np.array([5])), SettingsError, "length is array([5])"),
    (lambda: MODEL.generate("a", length="5"), SettingsError, "length is '5'"),
    (lambda: MODEL.generate(5), SettingsError, "the seed is 5"),
    (lambda: MODEL.generate(None), SettingsError, "the seed is None"),
    (lambda: MODEL.next_token(b"x"), SettingsError, "the text is b'x'"),
    (lambda: MODEL.log_probabilities(["x"]), SettingsError, "the text is ['x']"),
    (lambda: MODEL.generate("a", stop=5), SettingsError, "stop is 5"),
    (lambda: textgen.load(None), BundleError, "the bundle is None"),
    (lambda: textgen.load(TEXT), BundleError, "8,000 characters long; it must be a path"),
    (lambda: textgen.load("a\0b"), BundleError, "which no path can be"),
    (lambda: textgen.load("caf\ud800"), BundleError, "which no path can be"),
    (lambda: textgen.load(b"/none"), BundleError, "/none is not there"),
    (lambda: textgen.train(TEXT), CorpusError, "8,000 characters long; it must be a path"),
    (lambda: textgen.train([TEXT]), CorpusError, "8,000 characters long; it must be a path"),
    (lambda: textgen.train(["/none", "a line\nanother"]), CorpusError, "'a line\\nanother', 14 characters"),
    (lambda: textgen.train(TEXT.encode()), CorpusError, "8,000 characters long"),
    (lambda: textgen.train("To be, or not"), CorpusError, "To be, or not is not there"),
    (lambda: textgen.train(""), CorpusError, "the corpus is ''"),
    (lambda: textgen.train(None), CorpusError, "the corpus is None"),
    (lambda: textgen.train([["a"], "b"]), CorpusError, "the corpus is ['a']"),
    (lambda: textgen.train({}), CorpusError, "no file is named"),
    (lambda: textgen.train(__file__, epochs=3), SettingsError, "'epochs' (did you mean num_epochs?)"),
    (lambda: textgen.train(__file__, level=["char"]), SettingsError, "level is ['char']"),
    (lambda: textgen.train(__file__, num_epochs="3"), SettingsError, "num_epochs is '3'"),
    (lambda: textgen.train(__file__, pristine_input="no"), SettingsError, "pristine_input is 'no'"),
    (lambda: textgen.train(__file__, resume="no"), SettingsError, "resume is 'no'"),
    (lambda: textgen.train(__file__, on_event=5), SettingsError, "on_event is 5"),
    (lambda: textgen.train(__file__, encoding=5), SettingsError, "the encoding is 5"),
    (lambda: textgen.train(__file__, column=5), SettingsError, "the column is 5"),
    (lambda: textgen.train(__file__, lock_timeout="x"), SettingsError, "lock_timeout is 'x'"),
    (lambda: textgen.train(__file__, output=5), TrainingError, "the output is 5"),
    (lambda: textgen.train(__file__, output=TEXT), TrainingError, "it must be a path"),
    (lambda: textgen.train(__file__, base=TEXT), BundleError, "it must be a path"),
    (lambda: textgen.train(__file__, cache_dir=5), SettingsError, "the cache_dir is 5"),
]


@pytest.mark.parametrize(("call", "kind", "says"), WRONG, ids=[says for _, _, says in WRONG])
def test_a_wrong_call_says_what_was_received(call: Call, kind: type[TextgenError], says: str) -> None:
    with pytest.raises(TextgenError) as refused:
        call()
    assert type(refused.value) is kind
    assert says in str(refused.value)
    assert len(str(refused.value)) < 500
    assert "\n" not in str(refused.value)


@pytest.mark.slow
def test_a_path_may_be_bytes_or_of_numpy(corpus: Path) -> None:
    for path in (bytes(corpus), np.str_(corpus), [corpus / "input.txt"], iter([str(corpus / "input.txt")])):
        assert textgen.train(path, output=bytes(corpus / "model"), time_limit=1).characters > 1_000  # type: ignore[arg-type]


@pytest.mark.parametrize("cell", ["linear", "lstm", "gru"])
def test_a_model_can_be_pickled_and_copied(cell: str) -> None:
    model = TextModel(random_bundle(cell))
    want = model.generate("the ", **CONTROLS)
    for other in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):  # noqa: S301
        assert other.generate("the ", **CONTROLS) == want
        assert other.manifest == model.manifest
