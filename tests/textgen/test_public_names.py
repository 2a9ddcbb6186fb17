"""The names that textgen exports: which they are, what they cost to import, and that their examples run."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import textgen

NAMES = {
    *("TextModel", "Sample", "SamplingSettings", "TrainingSettings", "TrainingResult", "Control"),
    *("Event", "StartedEvent", "ProgressEvent", "SampleEvent", "CheckpointEvent", "FinishedEvent"),
    *("FailedEvent", "TextgenError", "BundleError", "CorpusError", "SettingsError", "TrainingError"),
    *("TrainingInterruptedError", "OutOfMemoryError", "load", "train"),
}
# A union of the other events, which cannot have a docstring.
EXAMPLES = sorted(NAMES - {"Event"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("examples")
    (path / "plays").mkdir()
    text = "".join(f"To be, or not to be, that is question {number}.\n" for number in range(400))
    (path / "plays" / "input.txt").write_text(text)
    textgen.train(path / "plays", output=path / "model", time_limit=3)
    return path


def test_the_public_names_are_listed() -> None:
    assert set(textgen.__all__) == NAMES
    assert set(dir(textgen)) >= NAMES
    for name in NAMES:
        assert getattr(textgen, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        textgen.nothing  # noqa: B018


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_name_has_a_docstring_whose_example_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(folder)
    docstring = getattr(textgen, name).__doc__
    example = doctest.DocTestParser().get_doctest(docstring, {"textgen": textgen}, name, name, 0)
    assert example.examples
    failures: list[str] = []
    doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(example, out=failures.append)
    assert not failures, "".join(failures)


def test_importing_textgen_loads_neither_numpy_nor_keras() -> None:
    code = "import sys, textgen; print(sorted({'numpy', 'keras', 'tensorflow'} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
