"""Figures of processes: a program that fails, or ends too early, gives none."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from textgen.benchmark.processes import peak_megabytes, seconds_to_first_output

MISSING = ["textgen", "sample", "--model", "no-such-model"]


def test_a_program_that_fails_has_no_time_and_no_memory() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        seconds_to_first_output(MISSING)
    with pytest.raises(subprocess.CalledProcessError):
        peak_megabytes(MISSING)
    with pytest.raises(subprocess.CalledProcessError):
        peak_megabytes(["textgen", "--help"], lines=1_000)


def test_a_sampling_process_is_measured_with_the_model_that_it_was_asked_for(trained_bundle: Path) -> None:
    asked = {"id": "1", "bundle": str(trained_bundle), "seed": "The ", "settings": {"length": 20}}
    serve = ["textgen", "serve"]
    assert peak_megabytes(serve, json.dumps(asked) + "\n", lines=2) > peak_megabytes(serve) + 5
    with pytest.raises(subprocess.CalledProcessError):
        peak_megabytes(serve, json.dumps(asked | {"bundle": "no-such-model"}) + "\n", lines=2)
