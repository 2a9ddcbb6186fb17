"""What every room's tests share: a small public-domain corpus and one model trained on it, once a run."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

# Before NumPy is loaded: tests run side by side, and threads of NumPy would wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import hypothesis
import pytest

# A busy machine must not fail a test that looks at results.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


# One layer: the time is that of tracing and compiling, not of steps.
SMALL = ("--preset", "tiny", "--num-layers", "1")


@pytest.fixture(scope="session")
def corpus_text() -> str:
    """Sixty thousand characters of Shakespeare."""
    from textgen.corpus.shakespeare import plays

    return plays()[0][:60_000]


@pytest.fixture(scope="session")
def trained_bundle(tmp_path_factory: pytest.TempPathFactory, worker_id: str, corpus_text: str) -> Path:
    """A bundle from a real training of seconds; xdist's workers share it."""
    root = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        root = root.parent
    bundle = root / "trained-bundle"
    with (root / "trained-bundle.once").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not bundle.exists():
            train_bundle(corpus_text, root / "trained-bundle-data", bundle)
    return bundle


def train_bundle(text: str, data_dir: Path, bundle: Path) -> None:
    """Train at the shell, as anybody would."""
    data_dir.mkdir(exist_ok=True)  # after a try that ran out of time on a busy machine
    (data_dir / "input.txt").write_text(text, encoding="utf-8")
    files = ("--data-dir", str(data_dir), "--output", str(bundle))
    textgen("train", *files, "--events", "--num-epochs", "1", "--random-seed", "7", *SMALL)
    # The bot's trainer leaves a picture, too: a panel that finds none has a process draw it.
    textgen("inspect", str(bundle), "--plot")


def textgen(*arguments: str) -> None:
    command = [sys.executable, "-m", "textgen", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the faults: each takes long and mostly waits, so other tests fit in beside them."""
    items.sort(key=lambda item: "faults" not in item.path.parts)
