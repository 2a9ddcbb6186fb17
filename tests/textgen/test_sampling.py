"""What a sample is: drawn as its settings say, and the same again for the same random seed."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from tests.textgen.bundles import SYMBOLS, random_bundle
from textgen.engine import LARGEST_BATCH, Request
from textgen.errors import SettingsError
from textgen.model import TextModel
from textgen.sampling import SamplingSettings, choose


@pytest.fixture(scope="module", params=["lstm", "gru"])
def model(request: pytest.FixtureRequest) -> TextModel:
    return TextModel(random_bundle(request.param))


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_tokens_are_drawn_with_the_probabilities_of_the_definition(temperature: float) -> None:
    logits = np.array([9.0, 1.0, 0.0, -1.0, 2.0])  # the first is UNKNOWN and must never come
    settings = SamplingSettings(temperature=temperature)
    scaled = [math.exp(logit / temperature) for logit in logits[1:]]
    expected = [0.0] + [weight / sum(scaled) for weight in scaled]

    draws = 20_000
    drawn = Counter(choose(logits.copy(), settings, (index + 0.5) / draws) for index in range(draws))

    for token, probability in enumerate(expected):
        assert drawn[token] / draws == pytest.approx(probability, abs=2e-4)


def test_temperature_nought_takes_the_likeliest_known_token() -> None:
    logits = np.array([99.0, 1.0, 5.0, 4.9])
    assert choose(logits, SamplingSettings(temperature=0), 0.999) == 2


@pytest.mark.parametrize("uniform", [0.0, 0.5, 1 - 2**-53])
@pytest.mark.parametrize("temperature", [1e-9, 1e-3, 10.0])
def test_extreme_temperatures_and_logits_give_a_token(temperature: float, uniform: float) -> None:
    logits = np.array([0.0, -1e30, 700.0, 699.0, -np.inf])
    token = choose(logits, SamplingSettings(temperature=temperature), uniform)
    assert token in {2, 3}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"length": 0}, "length is 0"),
        ({"length": -5}, "length is -5"),
        ({"length": 10**9}, "1,000,000"),
        ({"length": 2.5}, "whole number"),
        ({"length": True}, "length is True"),
        ({"temperature": -0.1}, "temperature is -0.1"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": float("inf")}, "temperature is inf"),
        ({"temperature": "hot"}, "temperature is 'hot'"),
        ({"temperature": 11}, "0 to 10"),
        ({"random_seed": -1}, "random seed is -1"),
        ({"random_seed": 2**63}, "random seed"),
    ],
)
def test_settings_out_of_bounds_are_refused_in_one_line(values: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        SamplingSettings(**values)


def test_the_same_random_seed_gives_the_same_text(model: TextModel) -> None:
    first = model.generate("the ", length=200, random_seed=7)
    assert model.generate("the ", length=200, random_seed=7) == first
    assert model.generate("the ", length=200, random_seed=8) != first
    assert len(first) == 200
    assert set(first) <= set(SYMBOLS)


def test_without_a_random_seed_texts_differ_and_the_seed_is_told(model: TextModel) -> None:
    samples = [model.sample("", SamplingSettings(length=80)) for _ in range(2)]
    assert samples[0].text != samples[1].text
    again = model.sample("", SamplingSettings(length=80, random_seed=samples[0].random_seed))
    assert again == samples[0]
    assert again.seed in {"the end", "A din"}


def test_a_text_does_not_depend_on_its_company(model: TextModel) -> None:
    """Requests join and leave at different times; each must read as if it were alone."""
    alone = {seed: model.generate("den ", length=40 + 7 * seed, random_seed=seed) for seed in range(20)}

    engine, together, started = model.engine(), dict[int, str](), dict[Request, int]()
    waiting = list(alone)
    while waiting or not engine.idle:
        if waiting:
            seed = waiting.pop()
            request, _ = model.request("den ", SamplingSettings(length=40 + 7 * seed, random_seed=seed))
            started[request] = seed
            engine.submit(request)
        for done in engine.step():
            together[started[done]] = model.tokenizer.decode(done.written)

    assert together == alone


def test_more_requests_than_fit_wait_for_their_turn(model: TextModel) -> None:
    engine = model.engine()
    count = LARGEST_BATCH + 9
    for seed in range(count):
        engine.submit(model.request("a", SamplingSettings(length=5, random_seed=seed))[0])
    finished = [request for _ in range(30) for request in engine.step()]
    assert len(finished) == count
    assert engine.idle


def test_streaming_gives_the_same_text_in_pieces(model: TextModel) -> None:
    settings = SamplingSettings(length=60, random_seed=3)
    pieces = list(model.stream("the ", settings))
    assert len(pieces) > 50
    assert "".join(pieces) == model.sample("the ", settings).text


def test_a_seed_with_unseen_symbols_is_refused_by_name(model: TextModel) -> None:
    with pytest.raises(SettingsError, match=r"never seen 'ß' '🎉'"):
        model.generate("the ß 🎉", length=10)


def test_an_endless_seed_is_refused(model: TextModel) -> None:
    with pytest.raises(SettingsError, match="200,000 characters"):
        model.generate("a" * 200_000, length=10)


def test_a_model_without_line_starts_begins_a_line() -> None:
    sample = TextModel(random_bundle(seeds=())).sample("", SamplingSettings(length=10, random_seed=1))
    assert sample.seed == ""
    assert len(sample.text) == 10


def test_probabilities_sum_to_one_and_agree_with_each_other(model: TextModel) -> None:
    text = "the din\n"
    steps = [model.next_token(text[:end]) for end in range(1, len(text))]
    assert all(sum(step.values()) == pytest.approx(1) for step in steps)
    logs = model.log_probabilities(text)
    assert logs.shape == (len(text) - 1,)
    for position, step in enumerate(steps):
        assert math.exp(logs[position]) == pytest.approx(step[text[position + 1]])
    with pytest.raises(SettingsError, match="empty"):
        model.next_token("")
