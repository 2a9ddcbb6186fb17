"""The sampling process, as the program that starts it sees it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.textgen.bundles import write_random_bundle
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


def request(identity: str, bundle: Path, seed: str = "the ", **settings: Any) -> dict[str, Any]:
    return {"id": identity, "bundle": str(bundle), "seed": seed, "settings": settings}


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
        }


def test_without_seeds_the_answer_tells_which_were_used(worker: Worker, tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    worker.send(request("r", tmp_path / "model", seed="", length=20, random_seed=None))
    answer = worker.receive()
    assert answer["seed"] in {"the end", "A din"}
    assert isinstance(answer["random_seed"], int)


def test_what_is_wrong_with_a_request_is_its_answer(worker: Worker, tmp_path: Path) -> None:
    path = tmp_path / "model"
    write_random_bundle(path)
    cases = [
        ("no JSON", "SettingsError", "not valid JSON"),
        ("[1]", "SettingsError", "not a JSON object"),
        ({"id": "r"}, "SettingsError", "'bundle'"),
        (request("r", tmp_path / "none", length=5), "BundleError", "is not there"),
        (request("r", path, length=0), "SettingsError", "length is 0"),
        (request("r", path, seed="ß", length=5), "SettingsError", "never seen 'ß'"),
        (request("r", path, beam=5), "SettingsError", "no setting 'beam'"),
    ]
    for line, kind, words in cases:
        worker.send(line)
        error = worker.receive()["error"]
        assert error["type"] == kind
        assert words in error["message"]
    worker.send(request("last", path, length=5))
    assert worker.receive()["characters"] == 5


def test_no_keras_comes_into_the_process(tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    worker = Worker("-X", "importtime")
    worker.send(request("r", tmp_path / "model", length=5))
    assert worker.receive()["characters"] == 5
    imported = worker.close()
    assert "textgen.engine" in imported
    for heavy in ("keras", "tensorflow", "jax", "torch", "click.testing"):
        assert f" {heavy}\n" not in imported
        assert f" {heavy}." not in imported
