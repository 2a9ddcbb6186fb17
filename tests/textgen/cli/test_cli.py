"""The command, as somebody at a shell uses it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.textgen.bundles import write_random_bundle
from tests.support.textgen.command import refusal, textgen
from tests.support.texts import hard_inputs
from tests.textgen.conftest import SMALL_FLAGS
from textgen import bundle, load
from textgen.files import bundle_files


def test_from_a_corpus_to_a_sample(corpus: Path) -> None:
    trained = textgen("train", "--data-dir", corpus, "--num-epochs", "2", *SMALL_FLAGS)
    assert trained.returncode == 0, trained.stderr
    last = trained.stdout.splitlines()[-1]
    assert last.startswith(f"{corpus}/model: validation loss ")
    assert {"nats,", "bits,", "perplexity"} <= set(last.split())
    assert "training on cpu" in trained.stderr
    assert "WARNING" not in trained.stderr

    first, again, other = (
        textgen("sample", "--data-dir", corpus, "--length", "90", "--random-seed", seed) for seed in "112"
    )
    assert first.returncode == 0, first.stderr
    assert first.stdout == again.stdout != other.stdout
    assert len(first.stdout) > 90
    assert first.stderr == "random seed 1\n"

    told = json.loads(textgen("sample", "--model", corpus / "model", "--json", "--length", "20").stdout)
    assert len(told["text"]) == 20
    line = textgen("sample", "--model", corpus / "model", "--seed", told["seed"], "--length", "20",
                   "--random-seed", str(told["random_seed"])).stdout  # fmt: skip
    assert line == told["seed"] + told["text"] + "\n"

    shown = textgen("inspect", corpus / "model").stdout
    assert "1 × 16 lstm" in shown
    assert "nats" in shown
    assert json.loads(textgen("inspect", corpus / "model", "--json").stdout)["vocabulary"] == 26


@pytest.mark.parametrize(
    "flags",
    [("--time-limit", "1"), pytest.param(("--num-epochs", "1", *SMALL_FLAGS), marks=pytest.mark.slow)],
)
def test_events_are_json_lines_and_nothing_else(corpus: Path, flags: tuple[str, ...]) -> None:
    result = textgen("train", "--data-dir", corpus, "--events", *flags)
    events = [json.loads(line)["event"] for line in result.stdout.splitlines()]
    assert events[0] == "started"
    assert events[-1] == "finished"
    assert set(events) <= {"started", "progress", "sample", "checkpoint", "finished"}
    assert result.stderr == ""


@pytest.mark.slow
def test_live_samples_come_at_four_temperatures_after_each_epoch(corpus: Path) -> None:
    result = textgen("train", "--data-dir", corpus, "--num-epochs", "1", "--live-sample", *SMALL_FLAGS)
    for temperature in ("0.2", "0.5", "1.0", "1.2"):
        assert f"── temperature {temperature} ──" in result.stderr
    assert len(result.stdout.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("end", ["cancel", "end of input", "ctrl-c"])
def test_whoever_started_a_training_can_stop_it_and_go_on_later(corpus: Path, end: str) -> None:
    flags = ("--data-dir", str(corpus), "--events", "--control", *SMALL_FLAGS)
    command = [sys.executable, "-m", "textgen", "train", *flags]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdin
    while json.loads(process.stdout.readline())["event"] != "checkpoint":
        pass
    if end == "cancel":
        process.stdin.write("cancel\n")
        process.stdin.flush()
    elif end == "ctrl-c":
        process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)  # closes its input
    assert process.returncode == 130
    assert "--resume goes on from there" in errors
    assert (corpus / "model.checkpoint" / "state.safetensors").exists()
    assert not (corpus / "model").exists()


@pytest.mark.parametrize("flags", [["--events"], []])
@pytest.mark.parametrize(
    "length",
    [("--time-limit", "1"), pytest.param(("--num-epochs", "1", *SMALL_FLAGS), marks=pytest.mark.slow)],
    ids=["counts", "network"],
)
def test_a_training_whose_reader_is_gone_goes_on(
    corpus: Path, flags: list[str], length: tuple[str, ...]
) -> None:
    # Whoever wants it to end with them gives --control.
    command = [sys.executable, "-m", "textgen", "train", "--data-dir", str(corpus)]
    with subprocess.Popen(
        [*command, *flags, *length], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(120) == 0
    assert bundle.read(corpus / "model").manifest.fraction == 1


@pytest.mark.parametrize("case", hard_inputs.REFUSED, ids=lambda case: case.name)
def test_a_corpus_that_cannot_be_used_ends_in_one_line(tmp_path: Path, case: hard_inputs.HardInput) -> None:
    (tmp_path / "input.txt").write_bytes(case.data)
    line = refusal(textgen("train", "--data-dir", tmp_path))
    for words in case.says:
        assert words in line
    assert [path.name for path in tmp_path.iterdir()] == ["input.txt"]


@pytest.mark.slow
def test_a_full_disk_ends_in_one_line_and_keeps_what_was_there(corpus: Path) -> None:
    write_random_bundle(corpus / "model")
    before = (corpus / "model" / "manifest.json").read_bytes()
    flags = f"--data-dir {corpus} --preset classic --num-epochs 1 --rnn-size 64 --checkpoint-seconds 1000"
    command = f"ulimit -f 8; exec {sys.executable} -m textgen train {flags}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert "cannot be written: File too large; nothing was changed" in result.stderr
    assert (corpus / "model" / "manifest.json").read_bytes() == before
    assert sorted(path.name for path in corpus.iterdir() if not path.name.endswith(".checkpoint")) == [
        "input.txt",
        "model",
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        *(
            ([f"--{name.removesuffix('_s').replace('_', '-')}", str(value)], says)
            for name, value, says in hard_inputs.SETTINGS_REFUSED
        ),
        (["--diversity", "inf"], "temperature is inf"),
        (["--seed", "ß"], "never seen 'ß'"),
        (["--seed", "the ß", "--unseen", "refuse"], "never seen 'ß'"),
        (["--stop", ""], "stop holds ''"),
    ],
)
def test_sampling_out_of_bounds_ends_in_one_line(tmp_path: Path, arguments: list[str], says: str) -> None:
    write_random_bundle(tmp_path / "model")
    assert says in refusal(textgen("sample", "--data-dir", tmp_path, *arguments))


def test_a_damaged_bundle_ends_in_one_line(tmp_path: Path) -> None:
    assert "is not there" in refusal(textgen("sample", "--data-dir", tmp_path))
    write_random_bundle(tmp_path / "model")
    path = tmp_path / "model" / bundle_files.WEIGHTS
    data = bytearray(path.read_bytes())
    data[-1] ^= 4
    path.write_bytes(data)
    for command in (("sample", "--model"), ("inspect",)):
        assert "is damaged" in refusal(textgen(*command, tmp_path / "model"))


@pytest.mark.parametrize(
    "arguments",
    [["sample"], ["sample", "--model", "x", "--data-dir", "y"], ["train"], ["fly"],
     ["train", "--data-dir", "x", "--fly"], ["sample", "--model", "x", "--length", "many"],
     ["sample", "--model", "x", "--json", "--stream"], ["sample", "--model", "x", "--stream", "--count", "2"],
     ["sample", "--model", "x", "--unseen", "guess"]],
)  # fmt: skip
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    result = textgen(*arguments)
    assert result.returncode == 2
    assert "Usage:" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_corpus_is_looked_at_before_training(tmp_path: Path) -> None:
    assert textgen("corpus", "shakespeare", tmp_path / "plays", "--genre", "roman").returncode == 0
    told = textgen("corpus", "stats", tmp_path / "plays" / "input.txt").stdout
    assert "characters" in told
    assert "chat log    no" in told
    (tmp_path / "log.txt").write_bytes(hard_inputs.CHAT_LOG)
    assert "a Discord export" in textgen("corpus", "stats", tmp_path / "log.txt").stdout
    assert json.loads(textgen("corpus", "stats", tmp_path / "log.txt", "--json").stdout)["lines"] == 150


def test_help_waits_for_no_library() -> None:
    result = textgen("--help", python=("-X", "importtime"))
    assert "sample" in result.stdout
    for heavy in ("numpy", "keras", "rich", "safetensors"):
        assert f"{heavy}\n" not in result.stderr


def test_several_texts_are_told_apart(tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    flags = ("sample", "--data-dir", tmp_path, "--seed", "the ", "--length", "40", "--random-seed", "7")
    lines = textgen(*flags, "--count", "3", "--json").stdout.splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    assert [json.loads(line)["random_seed"] for line in lines] == [7, 8, 9]

    shown = textgen(*flags, "--count", "3")
    assert shown.stdout == "\n".join(f"the {text}\n" for text in texts)
    assert shown.stderr == "".join(f"── {n} of 3, random seed {n + 6} ──\n" for n in (1, 2, 3))
    alone = textgen(
        "sample", "--data-dir", tmp_path, "--seed", "the ", "--length", "40", "--random-seed", "9"
    )
    assert alone.stdout == f"the {texts[2]}\n"


def test_the_controls_are_those_of_the_library(tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    told = textgen(
        *(
            "sample",
            "--data-dir",
            tmp_path,
            "--seed",
            "the ",
            "--length",
            "60",
            "--random-seed",
            "3",
            "--json",
        ),
        *("--top-k", "9", "--top-p", "0.9", "--min-p", "0.01", "--typical-p", "0.9"),
        *("--repetition-penalty", "1.2"),
        *("--repetition-window", "20", "--no-repeat-ngram", "4", "--stop", ".", "--stop", "éé"),
        *("--diversity", "1.1"),
    )
    sample = json.loads(told.stdout)
    assert sample["text"] == load(tmp_path / "model").generate(
        "the ", length=60, temperature=1.1, random_seed=3, top_k=9, top_p=0.9, min_p=0.01, typical_p=0.9,
        repetition_penalty=1.2, repetition_window=20, no_repeat_ngram=4, stop=[".", "éé"],
    )  # fmt: skip
    assert sample["ended"] == ("length" if len(sample["text"]) == 60 else "stop")


def test_what_happened_to_the_seed_and_to_the_time_is_said_on_standard_error(tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    flags = ("sample", "--data-dir", tmp_path, "--seed", "the ß", "--random-seed", "1")
    for stream in ([], ["--stream"]):
        result = textgen(*flags, "--length", "1000000", "--time-limit", "0.2", *stream)
        assert result.returncode == 0
        assert result.stdout.startswith("the ")
        first, second, third = result.stderr.splitlines()
        assert first == "random seed 1"
        assert second == "never seen by the model and dropped: 'ß'"
        assert third.startswith("the time limit ended it after ")
    whole, streamed = (textgen(*flags, "--length", "90", *stream).stdout for stream in ([], ["--stream"]))
    assert whole == streamed


def test_a_seed_as_it_was_typed_is_told_with_what_was_read_of_it(tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    flags = (
        "--seed",
        "ｔｈｅ e\u0301…ß",
        "--stop",
        "ｚ漢",
        "--stop",
        "ＡＢ",
        "--length",
        "20",
        "--random-seed",
        "1",
    )
    sample = textgen("sample", "--data-dir", tmp_path, "--json", *flags)
    told = json.loads(sample.stdout)
    assert told["seed"] == "the é..."
    assert told["unseen"] == ["ß"]
    assert told["folded"] == {"ｔ": "t", "ｈ": "h", "ｅ": "e", "…": "..."}
    assert told["never_written"] == ["ｚ漢"]
    again = textgen("sample", "--data-dir", tmp_path, "--seed", told["seed"], *flags[2:])
    assert again.stdout == told["seed"] + told["text"] + "\n"
    assert again.stderr.splitlines() == [
        "random seed 1",
        "never written by this model, so nothing ends there: 'ｚ漢'",
    ]


def test_sampling_streams_and_stops_when_the_reader_leaves(tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    command = [
        sys.executable,
        "-m",
        "textgen",
        "sample",
        "--data-dir",
        str(tmp_path),
        "--stream",
        "--length",
        "900000",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stderr
    assert os.read(process.stdout.fileno(), 1)
    process.stdout.close()
    assert process.wait(30) == 0
    assert process.stderr.read().count(b"\n") == 1  # the random seed
