"""Drawing from large vocabularies, piece by piece: what is drawn from the weights as they stand."""

from __future__ import annotations

import numpy as np
import pytest

from textgen.sampling.draw import Draw

WIDTH = 9_001
NEARLY_ONE = np.nextafter(1.0, 0.0)


def scores(seed: int, *, ruled_out: slice = slice(0, 0)) -> np.ndarray:
    found = np.random.default_rng(seed).normal(0, 4, WIDTH)
    found[ruled_out] = -np.inf
    return found


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.0])
def test_a_token_is_the_one_whose_share_of_the_total_holds_the_random_number(temperature: float) -> None:
    for seed in range(20):
        weights = np.exp(scores(seed) / temperature)
        shares = weights / weights.sum()
        for token in (0, 1, 255, 256, 257, WIDTH - 1, int(weights.argmax())):
            if shares[token] < 1e-12:
                continue  # rounding decides
            middle = shares[:token].sum() + shares[token] / 2
            (drawn,) = Draw([temperature])(scores(seed)[None], np.array([middle]))
            assert drawn == token


def test_a_token_that_is_ruled_out_is_never_drawn() -> None:
    for ruled_out in (slice(0, 300), slice(200, 600), slice(WIDTH - 300, WIDTH), slice(1, WIDTH)):
        for uniform in (0.0, 1e-300, 0.5, NEARLY_ONE):
            row = scores(1, ruled_out=ruled_out)
            (drawn,) = Draw([1.0])(row.copy()[None], np.array([uniform]))
            assert np.isfinite(row[drawn])


def test_a_text_does_not_depend_on_the_others_of_its_batch() -> None:
    temperatures = [0.0, 0.5, 1.0]
    uniforms = np.random.default_rng(2).random(3)
    rows = np.stack([scores(seed) for seed in range(3)])
    alone = [
        int(Draw([temperature])(row.copy()[None], np.array([uniform]))[0])
        for temperature, row, uniform in zip(temperatures, rows, uniforms, strict=True)
    ]
    assert Draw(temperatures)(rows.copy(), uniforms).tolist() == alone
    assert alone[0] == rows[0].argmax()
