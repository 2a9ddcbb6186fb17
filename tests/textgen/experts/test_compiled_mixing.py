"""Mixing in compiled code gives the same bits as in NumPy, in every way that experts call it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support import needs
from textgen.experts import compiled_mixing
from textgen.experts.kneser_ney import KneserNey
from textgen.experts.long import Long
from textgen.experts.words import Words

BEFORE = 48


@pytest.fixture(params=[7, 200, 1_500], ids=lambda vocabulary: f"{vocabulary} tokens")
def experts(request: pytest.FixtureRequest) -> list[Any]:
    vocabulary = request.param
    text = np.random.default_rng(vocabulary).zipf(1.3, 6_000) % vocabulary
    kinds = np.resize(np.arange(4, dtype=np.uint8), vocabulary)
    return [
        KneserNey.count(text, vocabulary, 4),
        Words.count(text, vocabulary, kinds),
        Long.count(text, vocabulary),
    ]


def expected(experts: list[Any]) -> list[np.ndarray]:
    draw = np.random.default_rng(3)
    found = []
    for expert in experts:
        windows = draw.zipf(1.3, (5, expert.before + 21)) % expert.vocabulary
        seen = draw.integers(0, 9, (5, 20))
        for each in (
            expert.expect(windows[:, 1:-1]),
            expert.leave_one_out(windows),
            expert.leave_one_out(windows, seen),
        ):
            found += [each.probabilities, each.confidences]
    return found


@needs.compiled(compiled_mixing.library())
def test_it_equals_numpy_to_the_bit(experts: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = expected(experts)
    monkeypatch.setattr(compiled_mixing, "library", lambda: None)
    for mine, numpys in zip(compiled, expected(experts), strict=True):
        np.testing.assert_array_equal(mine, numpys)
