"""Batches: contiguous strips of a text of any length, in little memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.errors import TrainingError
from textgen.training.data.strips import Strips, fit_to_corpus
from textgen.training.data.token_files import open_tokens


def slow_windows(tokens: list[int], batch: int, length: int, step: int, before: int) -> list[list[list[int]]]:
    """Return every batch of an epoch, written from the definition."""
    starts = [
        start
        for offset in range(0, length, step)
        for start in range(offset, len(tokens) - 1 - length + 1, length)
    ]
    each = len(starts) // batch
    padded = [0] * before + tokens
    return [
        [padded[start : start + before + length + 1] for start in starts[index : each * batch : each]]
        for index in range(each)
    ]


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(1, 6), st.integers(1, 20), st.data())
def test_windows_are_those_of_the_definition(size: int, batch: int, length: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(1, length))
    before = data.draw(st.integers(0, 5))
    tokens = list(range(1, size + 1))
    strips = Strips(np.array(tokens, np.uint16), batch, length, step)
    expected = slow_windows(tokens, batch, length, step, before)
    assert strips.batches == len(expected)
    for index, windows in enumerate(expected):
        assert strips.windows(index, before).tolist() == windows


def test_each_batch_continues_the_one_before() -> None:
    strips = Strips(np.arange(1_000, dtype=np.uint16), 4, 10, 10)
    for index in range(strips.batches - 1):
        now, after = strips.windows(index), strips.windows(index + 1)
        np.testing.assert_array_equal(now[:, -1], after[:, 0])
        np.testing.assert_array_equal(now, strips.windows(index))


@pytest.mark.parametrize("step", [1, 25, 50])
def test_a_batch_of_a_huge_memory_map_takes_little_memory(tmp_path: Path, step: int) -> None:
    with (tmp_path / "tokens").open("wb") as stream:
        stream.truncate(2 << 30)  # a sparse file of 10⁹ tokens
    tokens = open_tokens(tmp_path / "tokens", 100)
    strips = Strips(tokens, 32, 50, step)
    tracemalloc.start()
    try:
        assert strips.batches == len(range(0, 50, step)) * ((len(tokens) - 1) // 50) // 32 or step == 1
        for index in (0, strips.batches // 2, strips.batches - 1):
            assert strips.windows(index, 3).shape == (32, 54)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000  # the tokens are 2 GiB


def test_a_short_text_shrinks_the_batches_down_to_a_hard_minimum() -> None:
    assert fit_to_corpus(1_000_000, 64, 50) == (64, 50)
    batch, length = fit_to_corpus(1_000, 64, 50)
    assert batch < 64
    assert Strips(np.zeros(1_000, np.uint16), batch, length, length).batches >= 4
    with pytest.raises(TrainingError, match="has 4 tokens; at least 5 are needed"):
        fit_to_corpus(4, 64, 50)
