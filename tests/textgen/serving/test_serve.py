"""The sampling process, as the program that starts it sees it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.textgen.bundles import write_random_bundle
from tests.support.textgen.serving import request
from tests.support.texts import hard_inputs
from textgen.model import TextModel


class Worker:
    """A real sampling process."""

    def __init__(self, *flags: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *flags, "-m", "textgen", "serve"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.receive() == {"ready": True}

    def send(self, line: str | dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write((line if isinstance(line, str) else json.dumps(line)) + "\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout
        answer = json.loads(self.process.stdout.readline())
        assert isinstance(answer, dict)
        return answer

    def close(self) -> str:
        _, errors = self.process.communicate(timeout=20)
        return errors


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    assert made.close() == ""
    assert made.process.returncode == 0


def test_requests_are_answered_as_the_library_would(worker: Worker, tmp_path: Path) -> None:
    bundles = {cell: tmp_path / cell for cell in ("lstm", "gru")}
    for cell, path in bundles.items():
        write_random_bundle(path, cell)
    for number in range(12):
        path = bundles["lstm" if number % 3 else "gru"]
        worker.send(request(f"r{number}", path, length=30 + number, random_seed=number))
    answers = {answer["id"]: answer for answer in (worker.receive() for _ in range(12))}
    for number in range(12):
        model = TextModel.load(bundles["lstm" if number % 3 else "gru"])
        text = model.generate("the ", length=30 + number, random_seed=number)
        assert answers[f"r{number}"] == {
            "id": f"r{number}",
            "text": text,
            "seed": "the ",
            "random_seed": number,
            "characters": 30 + number,
            "ended": "length",
            "unseen": [],
            "training": "epochs",
        }


def test_every_control_works_as_in_the_library(worker: Worker, tmp_path: Path) -> None:
    path = tmp_path / "model"
    write_random_bundle(path)
    controls: dict[str, Any] = {
        "length": 80, "temperature": 1.1, "random_seed": 5, "top_k": 9, "top_p": 0.9, "min_p": 0.01,
        "typical_p": 0.9,
        "repetition_penalty": 1.2, "repetition_window": 20, "no_repeat_ngram": 4, "stop": [".", "éé"],
        "time_limit_s": 60.0, "unseen": "replace",
    }  # fmt: skip
    worker.send(request("one", path, seed="the ß", **controls))
    worker.send(request("three", path, seed="the ß", count=3, **controls))
    answers = {answer["id"]: answer for answer in (worker.receive(), worker.receive())}
    texts = TextModel.load(path).generate("the ß", count=3, **controls)
    assert answers["one"]["text"] == texts[0]
    assert answers["one"]["unseen"] == ["ß"]
    assert answers["three"]["texts"] == texts
    assert answers["three"]["text"] == texts[0]
    assert answers["three"]["random_seeds"] == [5, 6, 7]
    assert answers["three"]["seeds"] == ["the ß"] * 3


def test_a_text_can_be_streamed(worker: Worker, tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    worker.send({**request("r", tmp_path / "model", length=50, random_seed=2), "stream": True})
    worker.send(request("other", tmp_path / "model", length=30, random_seed=3))
    pieces = ""
    while "text" not in (answer := worker.receive()) or answer["id"] == "other":
        pieces += answer.get("piece", "")
    assert answer["id"] == "r"
    assert pieces == answer["text"]
    assert len(pieces) == 50


def test_the_answer_names_the_seeds_that_were_used(worker: Worker, tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    worker.send(request("r", tmp_path / "model", seed="", length=20, random_seed=None))
    answer = worker.receive()
    assert answer["seed"] in {"the end", "A din"}
    assert isinstance(answer["random_seed"], int)


def test_an_invalid_request_is_answered_with_its_error(worker: Worker, tmp_path: Path) -> None:
    path = tmp_path / "model"
    write_random_bundle(path)
    cases = [
        ("no JSON", "SettingsError", "not valid JSON"),
        ("[1]", "SettingsError", "not a JSON object"),
        ({"id": "r"}, "SettingsError", "'bundle'"),
        ({"id": "r", "op": ["cancel"]}, "SettingsError", "there is no op"),
        ({"op": "cancel"}, "SettingsError", "'id'"),
        (request("r", path, top_p=7), "SettingsError", "top_p is 7"),
        (request("r", path, stop="x" * 201), "SettingsError", "1 to 200 characters"),
        ({**request("r", path, count=2), "stream": True}, "SettingsError", "only one text"),
        (request("r", tmp_path / "none", length=5), "BundleError", "is not there"),
        (request("r", path, length=0), "SettingsError", "length is 0"),
        (request("r", path, seed="ß", length=5), "SettingsError", "never seen 'ß'"),
        (request("r", path, beam=5), "SettingsError", "no setting 'beam'"),
        ({**request("r", path), "scores": 2}, "SettingsError", "needs 'stream' as true"),
        ({**request("r", path), "scores": 21, "stream": True}, "SettingsError", "scores is 21"),
        ({**request("r", path), "op": "score"}, "SettingsError", "scores is None"),
        ({**request("r", path, seed="ß"), "op": "score", "scores": 1}, "SettingsError", "never seen 'ß'"),
        ({**request("r", path), "tokens": 0}, "SettingsError", "tokens is 0"),
        ({"id": "r", "op": "who", "bundle": str(path)}, "SettingsError", "needs 'text' as str"),
        ({"id": "r", "op": "who", "bundle": str(path), "text": [1]}, "SettingsError", "needs 'text' as str"),
    ]
    for line, kind, words in cases:
        worker.send(line)
        error = worker.receive()["error"]
        assert error["type"] == kind
        assert words in error["message"]
    worker.send(request("last", path, length=5))
    assert worker.receive()["characters"] == 5


def test_settings_out_of_bounds_are_refused_as_everywhere(worker: Worker, tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    for name, value, says in hard_inputs.SETTINGS_REFUSED:
        worker.send(request("r", tmp_path / "model", **{name: value}))
        error = worker.receive()["error"]
        assert error["type"] == "SettingsError"
        assert says in error["message"]
        assert "\n" not in error["message"]


def test_a_sampler_process_does_not_import_keras(tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    worker = Worker("-X", "importtime")
    worker.send(request("r", tmp_path / "model", length=5))
    assert worker.receive()["characters"] == 5
    imported = worker.close()
    assert "textgen.sampling.engine" in imported
    for heavy in ("keras", "tensorflow", "jax", "torch", "aiohttp", "prometheus_client", "click.testing"):
        assert f" {heavy}\n" not in imported
        assert f" {heavy}." not in imported
