"""A training that would not fit is refused before it takes the memory."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from textgen.errors import TrainingError
from textgen.spec import NetworkSpec
from textgen.training import memory

MANY_WORDS = NetworkSpec("lstm", vocabulary=200_000, embedding=64, units=256, layers=1)


def test_the_output_layer_of_many_words_is_counted() -> None:
    few = NetworkSpec("lstm", vocabulary=20_000, embedding=64, units=256, layers=1)
    assert memory.needed_bytes(few, 16, 64) < 1 << 30
    assert 3 << 30 < memory.needed_bytes(MANY_WORDS, 16, 64) < 5 << 30


def test_the_free_memory_is_what_the_system_says() -> None:
    available = memory.available_bytes()
    assert available is not None
    assert 0 < available <= psutil.virtual_memory().total


def test_too_large_a_training_is_refused_and_says_what_to_change(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 4000000 kB\nMemAvailable:    2097152 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    with pytest.raises(TrainingError, match=r"and 2\.0 GiB are free; try a --vocab-size below 200,000"):
        memory.check_memory(MANY_WORDS, 16, 64)
    (tmp_path / "memory.max").write_text("1073741824\n")
    (tmp_path / "memory.current").write_text("536870912\n")
    assert memory.available_bytes() == 512 << 20
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available_bytes() == 2 << 30
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "absent")
    memory.check_memory(MANY_WORDS, 16, 64)
