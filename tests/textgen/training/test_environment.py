"""Files and variables of other projects: left aside, or named in one line before anything is trained."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import textgen
from textgen.errors import SettingsError, TrainingError
from textgen.training import backend
from textgen.training.data.token_cache import default_cache
from textgen.training.loop.clock import _FEWEST_STEPS, Pace

LOAD = """
import os, sys
from textgen.training import backend
backend.load()
import keras
print(keras.backend.backend(), keras.config.floatx(), keras.config.epsilon(), os.environ.get("KERAS_HOME"))
keras.config.set_floatx("float16")
keras.config.set_dtype_policy("mixed_float16")
with backend.standard_numbers():
    print(keras.config.floatx(), keras.config.dtype_policy().name, keras.layers.Dense(1).dtype)
print(keras.config.floatx(), keras.config.dtype_policy().name)
"""


@pytest.mark.slow
def test_keras_settings_of_other_projects_are_ignored(tmp_path: Path) -> None:
    folder = tmp_path / ".keras"
    folder.mkdir()
    odd = {"backend": "theano", "floatx": "float16", "epsilon": 1, "image_data_format": "th"}
    (folder / "keras.json").write_text(json.dumps(odd))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KERAS")}
    environment |= {
        "HOME": str(tmp_path),
        "KERAS_MAX_EPOCHS": "many",
        "TF2_BEHAVIOR": "0",
        "KERAS_BACKEND": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", LOAD],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.splitlines() == [
        "tensorflow float32 1e-07 None",
        "float32 float32 float32",
        "float16 mixed_float16",
    ]
    assert json.loads((folder / "keras.json").read_text()) == odd


@pytest.mark.parametrize("name", ["numpy", "openvino", "theano", "TensorFlow", "torch"])
def test_an_unknown_backend_is_refused_before_reading(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", name)
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    with pytest.raises(TrainingError, match=f"the backend '{name}'.*KERAS_BACKEND"):
        textgen.train(corpus, on_event=lambda event: pytest.fail("it began"))
    assert [path.name for path in corpus.iterdir()] == ["input.txt"]


def test_flags_that_would_end_the_process_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setenv("XLA_FLAGS", "--nonsense=1")
    monkeypatch.setattr(backend, "_TRIAL", {"tensorflow": "import os; os.abort()"})
    with pytest.raises(TrainingError, match=r"XLA does not take XLA_FLAGS=.*nonsense=1; unset it"):
        backend.load()


@pytest.mark.parametrize("kind", ["file", "nowhere", "nobody's home"])
def test_a_training_works_without_a_cache_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(
        "XDG_CACHE_HOME", {"file": str(tmp_path / "file"), "nowhere": "/proc/none"}.get(kind, "")
    )
    if kind == "nobody's home":
        monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert default_cache() is None


def test_a_cache_folder_that_is_a_file_gives_an_error_of_one_line(corpus: Path) -> None:
    (corpus / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot be written to"):
        textgen.train(corpus, cache_dir=corpus / "file", time_limit=1)


def test_a_broken_matplotlib_does_not_end_a_training(tmp_path: Path) -> None:
    script = (
        "from textgen.training.reporting.plotting import write_loss_curve; from pathlib import Path\n"
        "write_loss_curve([{'seconds': 1, 'validation_loss': 2}], Path('x.png'), unit='token')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "MPLBACKEND": "nonsense"}, cwd=tmp_path,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr.splitlines()[-1].startswith("textgen.errors.BundleError: Matplotlib cannot be loaded")


def test_the_remaining_time_is_estimated_after_enough_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    pace = Pace()
    for step in range(2 + _FEWEST_STEPS):
        assert pace.left_s(1_000) is None
        now += 30.0 if step == 0 else 0.5  # the first one is compiled
        pace.step()
    assert pace.left_s(1_000) == pytest.approx(500)


def test_settings_are_checked_before_the_backend(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    with pytest.raises(SettingsError):
        textgen.train(corpus, num_epochs=0)
