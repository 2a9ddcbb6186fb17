"""Standard output and error that are closed, full, or know few characters: no command breaks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.textgen.bundles import write_random_bundle
from textgen import bundle
from textgen.training.reporting.events import finite, json_lines

TRAIN = ("train", "--data-dir", "{corpus}", "--time-limit", "1")
SAMPLE = ("sample", "--model", "{model}", "--length", "20", "--seed", "the ")


@pytest.fixture
def model(corpus: Path) -> Path:
    write_random_bundle(corpus / "random")
    return corpus / "random"


def run(
    command: tuple[str, ...], redirection: str, corpus: Path, environment: dict[str, str] | None = None
) -> tuple[int, str, str]:
    """Run a command below a shell that redirects it; return its exit code, output and errors."""
    arguments = [part.format(corpus=corpus, model=corpus / "random") for part in command]
    done = subprocess.run(
        ["bash", "-c", f'"$@" {redirection}; echo "${{PIPESTATUS[0]}}" >"$RC"', "_", sys.executable, "-m",
         "textgen", *arguments],
        capture_output=True, text=True, errors="surrogateescape", timeout=120, check=False,
        env={**os.environ, **(environment or {}), "RC": str(corpus / "rc")},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    return int((corpus / "rc").read_text()), done.stdout, done.stderr


@pytest.mark.parametrize(
    "redirection",
    [">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full", "2>&1 | true"],
)
@pytest.mark.parametrize("events", [(), ("--events",)], ids=["people", "events"])
@pytest.mark.slow
def test_a_training_goes_on_and_its_model_is_kept(
    corpus: Path, redirection: str, events: tuple[str, ...]
) -> None:
    code, _, told = run((*TRAIN, *events), redirection, corpus)
    assert code == 0
    assert bundle.read(corpus / "model").manifest.characters > 1_000
    if redirection == ">&-":
        assert "note: standard output is closed" in told


@pytest.mark.parametrize(
    ("command", "redirection", "expected", "line"),
    [
        (SAMPLE, ">/dev/full", 1, "error: standard output cannot be written: No space left on device"),
        ((*SAMPLE, "--stream"), ">&-", 1, "error: standard output is closed"),
        ((*SAMPLE, "--json"), "| true", 0, ""),
        (("sample", "--help"), ">/dev/full", 1, "error: standard output cannot be written"),
        (("--help",), "| true", 0, ""),
        (("corpus", "unwrap", "{corpus}/input.txt"), ">/dev/full", 1, "error: standard output cannot"),
        (("corpus", "stats", "{corpus}"), ">&-", 1, "error: standard output is closed"),
        (("inspect", "{model}", "--json"), ">/dev/full", 1, "error: standard output cannot be written"),
        (("serve",), ">/dev/full </dev/null", 1, "error: standard output cannot be written"),
        (("inspect", "/none"), "2>/dev/full", 1, ""),
        (("sample",), "2>&-", 2, ""),
    ],
)
def test_output_that_fails_is_one_line_and_an_exit_code(
    corpus: Path, model: Path, command: tuple[str, ...], redirection: str, expected: int, line: str
) -> None:
    code, output, told = run(command, redirection, corpus)
    assert (code, output) == (expected, "")
    assert told.splitlines()[-1:] == [] if not line else told.splitlines()[-1].startswith(line)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_what_a_stream_cannot_show_is_escaped(corpus: Path, model: Path, encoding: str) -> None:
    flags = {"PYTHONIOENCODING": encoding}
    code, shown, _ = run(("inspect", "{model}"), "", corpus, flags)
    assert code == 0
    assert "curve       \\u2013" in shown
    sample = ("sample", "--model", "{model}", "--seed", "the é", "--length", "60", "--random-seed", "1")
    code, text, _ = run((*sample, "--json"), "", corpus, flags)
    told = json.loads(text)
    assert told["seed"] == "the é"
    code, text, _ = run(sample, "", corpus, flags)
    escaped = (told["seed"] + told["text"]).encode(encoding, "backslashreplace")
    assert text.encode(errors="surrogateescape").rstrip(b"\n") == escaped.rstrip(b"\n")


@pytest.mark.parametrize("events", [(), ("--events",)], ids=["people", "events"])
def test_a_folder_whose_name_is_no_utf_8_is_written_as_it_is(corpus: Path, events: tuple[str, ...]) -> None:
    folder = Path(os.fsdecode(os.fsencode(corpus) + b"/caf\xe9"))
    folder.mkdir()
    (corpus / "input.txt").rename(folder / "input.txt")
    command = ("train", "--data-dir", str(folder), "--time-limit", "1", *events)
    code, text, _ = run(command, "", corpus, {"PYTHONIOENCODING": "utf-8:strict"})
    assert code == 0
    if events:
        assert json.loads(text.splitlines()[-1])["bundle"] == str(folder / "model")
    else:
        assert text.startswith(f"{folder}/model: validation loss")
    assert run(("inspect", str(folder / "model")), "", corpus)[1].splitlines()[0].endswith(f"{folder}/model")


def test_events_are_valid_json_whatever_the_numbers_are() -> None:
    class Target:
        text = ""

        def write(self, text: str) -> None:
            self.text += text

        def flush(self) -> None:
            pass

    target = Target()
    nan = float("nan")
    event = {"event": "x", "loss": nan, "all": [1.5, -float("inf"), {"a": (nan, "café \udce9")}]}
    json_lines(target)(event)  # type: ignore[arg-type]
    read = json.loads(target.text, parse_constant=lambda name: pytest.fail(name))
    assert (
        read
        == finite(event)
        == {"event": "x", "loss": None, "all": [1.5, None, {"a": [None, "café \udce9"]}]}
    )
    assert target.text.isascii()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_while_keras_loads_is_answered(corpus: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "textgen", "train", "--data-dir", str(corpus), "--num-epochs", "99"]

    def as_at_a_terminal() -> None:
        # Whoever runs these tests under nohup has them ignore what a closed terminal sends, as it should be.
        signal.signal(number, signal.SIG_DFL)

    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=as_at_a_terminal) as process:
        # The lock is there from the moment when it begins to read.
        while not (corpus / "model.lock").exists():
            time.sleep(0.01)
        time.sleep(0.5)
        process.send_signal(number)
        asked = time.monotonic()
        _, told = process.communicate(timeout=60)
    # On a calm machine it takes a tenth of a second, and never more than one; this one may be busy.
    assert time.monotonic() - asked < 10
    assert process.returncode == 130
    assert told.splitlines()[-1] == "interrupted: stopped before the first step"
    assert [path.name for path in corpus.iterdir()] == ["input.txt"]


@pytest.mark.slow
def test_interrupted_between_start_and_first_step_it_goes_on_from_there(corpus: Path) -> None:
    command = [sys.executable, "-m", "textgen", "train", "--data-dir", str(corpus), "--num-epochs", "1",
               "--rnn-size", "8", "--events"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        while json.loads(process.stdout.readline())["event"] != "checkpoint":
            pass
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert (corpus / "model.checkpoint" / "state.safetensors").exists()
    assert not (corpus / "model.lock").exists()
