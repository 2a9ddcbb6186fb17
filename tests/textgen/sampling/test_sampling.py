"""What a sample is: drawn as its settings say, and the same again for the same random seed."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.textgen.bundles import SYMBOLS, random_bundle, write_random_bundle
from tests.support.texts import hard_inputs
from textgen.errors import SettingsError
from textgen.model import TextModel
from textgen.sampling import SamplingSettings
from textgen.sampling.engine import LARGEST_BATCH
from textgen.sampling.request import Request


@pytest.fixture(scope="module", params=["linear", "lstm", "gru"])
def model(request: pytest.FixtureRequest) -> TextModel:
    return TextModel(random_bundle(request.param))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        *(({name: value}, says) for name, value, says in hard_inputs.SETTINGS_REFUSED),
        ({"length": 2.5}, "whole number"),
        ({"length": True}, "length is True"),
        ({"temperature": "hot"}, "temperature is 'hot'"),
        ({"random_seed": 2**63}, "random seed"),
        ({"length": "many"}, "length is 'many'"),
        ({"length": None}, "length is None"),
        ({"length": 10**5000}, "a number of 16,610 bits"),
        ({"length": float("nan")}, "whole number"),
        ({"temperature": True}, "temperature is True"),
        ({"temperature": None}, "temperature is None"),
        ({"top_k": 0}, "top_k is 0; it must be a whole number from 1 to 1,000,000, or be left out"),
        ({"top_k": 2.0}, "top_k is 2.0"),
        ({"top_p": "0.9"}, "top_p is '0.9'"),
        ({"min_p": -0.1}, "min_p is -0.1"),
        ({"min_p": 1.01}, "min_p is 1.01"),
        ({"repetition_penalty": float("inf")}, "repetition_penalty is inf"),
        ({"repetition_window": 0}, "repetition_window is 0"),
        ({"count": 10**9}, "from 1 to 256"),
        ({"time_limit_s": 0}, "time_limit_s is 0"),
        ({"time_limit_s": float("nan")}, "time_limit_s is nan"),
        ({"stop": ("",)}, "stop holds ''; each must be a text of 1 to 200"),
        ({"stop": 5}, "stop is 5"),
        ({"stop": ["a", None]}, "stop holds None"),
        ({"stop": ["a"] * 17}, "17 stop texts"),
        ({"unseen": "guess"}, "unseen is 'guess'; it can be refuse, replace, drop"),
    ],
)
def test_settings_out_of_bounds_are_refused_in_one_line(values: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError, match=says) as refused:
        SamplingSettings(**values)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


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
            together[started[done]] = done.text

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
    pieces = list(model.stream("the ", length=60, random_seed=3))
    assert len(pieces) > 50
    assert "".join(pieces) == model.sample("the ", settings).text


def test_a_seed_with_unseen_symbols_is_refused_by_name(model: TextModel) -> None:
    with pytest.raises(SettingsError, match=r"never seen 'ß' '🎉'"):
        model.generate("the ß 🎉", length=10, unseen="refuse")


def test_unseen_symbols_can_be_dropped_or_read_as_unknown_and_are_reported(model: TextModel) -> None:
    dropped = model.sample("the ß 🎉", SamplingSettings(length=30, random_seed=1))
    assert (dropped.seed, dropped.unseen) == ("the  ", ("ß", "🎉"))
    assert dropped.text == model.generate("the  ", length=30, random_seed=1)
    replaced = model.sample("the ß 🎉", SamplingSettings(length=30, random_seed=1, unseen="replace"))
    assert (replaced.seed, replaced.unseen) == ("the ß 🎉", ("ß", "🎉"))
    assert replaced.text == model.generate("the ẞ 🎊", length=30, random_seed=1, unseen="replace")
    # The default took its place: only a seed of which nothing is left is refused.
    with pytest.raises(SettingsError, match="never seen '🎉'; write the seed with symbols of its corpus"):
        model.generate(" 🎉", length=30)


def test_a_seed_is_read_to_its_end_however_long_it_is(model: TextModel) -> None:
    seed = "the din and a lad " * 100
    engine = model.engine()
    request, _ = model.request(seed, SamplingSettings(length=20, random_seed=1))
    company, _ = model.request("a", SamplingSettings(length=200, random_seed=2))
    engine.submit(company)
    engine.submit(request)
    while not engine.idle:
        engine.step()
    probabilities = model.next_token(seed)
    likeliest = max((symbol for symbol in probabilities if symbol != "\ufffd"), key=probabilities.__getitem__)
    assert model.generate(seed, length=1, temperature=0) == likeliest
    assert request.text == model.generate(seed, length=20, random_seed=1)
    assert company.text == model.generate("a", length=200, random_seed=2)


def test_of_several_texts_each_can_be_had_again_alone(model: TextModel) -> None:
    texts = model.generate("the ", length=40, random_seed=7, count=5)
    assert texts == [model.generate("the ", length=40, random_seed=7 + number) for number in range(5)]
    assert len(set(texts)) == 5
    assert model.generate("the ", length=40, random_seed=7, count=1) == texts[0]
    starts = model.samples("", SamplingSettings(length=9, random_seed=2**63 - 1, count=2))
    assert [(sample.seed, sample.random_seed) for sample in starts] == [("A din", 2**63 - 1), ("the end", 0)]


def test_controls_do_not_depend_on_company_either(model: TextModel) -> None:
    controls: list[dict[str, Any]] = [
        {"top_k": 3},
        {"temperature": 0},
        {"top_p": 0.6, "temperature": 2.0},
        {"min_p": 0.2, "repetition_penalty": 1.5},
        {"no_repeat_ngram": 2, "temperature": 0},
        {"stop": "e"},
        {"typical_p": 0.5},
        {},
    ]
    requests = [
        model.request("the ", SamplingSettings(length=60, random_seed=number, **values))[0]
        for number, values in enumerate(controls)
    ]
    engine = model.engine()
    for request in requests:
        engine.submit(request)
    while not engine.idle:
        engine.step()
    for number, (request, values) in enumerate(zip(requests, controls, strict=True)):
        assert request.text == model.generate("the ", length=60, random_seed=number, **values)
    pairs = list(itertools.pairwise("the " + requests[4].text))
    assert len(set(pairs)) == len(pairs)
    assert "e" not in requests[5].text


def test_the_unknown_symbol_is_never_written() -> None:
    made = random_bundle()
    bias = dict(made.weights)
    bias["output.bias"] = bias["output.bias"] + np.float32(50) * (np.arange(made.spec.vocabulary) == 0)
    model = TextModel(dataclasses.replace(made, weights=bias))
    assert max(model.next_token("the ").items(), key=lambda pair: pair[1])[0] == "\ufffd"
    for values in ({"temperature": 0}, {"temperature": 5.0}, {"no_repeat_ngram": 1, "temperature": 0}):
        assert "\ufffd" not in model.generate("the ", length=300, random_seed=1, **values)


def test_a_cancelled_request_leaves_the_others_alone(model: TextModel) -> None:
    engine = model.engine()
    requests = [model.request("a", SamplingSettings(length=30, random_seed=n))[0] for n in range(70)]
    for request in requests:
        engine.submit(request)
    for _ in range(5):
        engine.step()
    gone = {0, 3, 69}
    for number in gone:
        engine.cancel(requests[number])
    finished = set()
    while not engine.idle:
        finished.update(engine.step())
    assert finished == {request for number, request in enumerate(requests) if number not in gone}
    assert requests[4].text == model.generate("a", length=30, random_seed=4)


@pytest.mark.parametrize("cell", ["linear", "lstm"])
@pytest.mark.slow
def test_the_number_of_threads_does_not_change_a_text(tmp_path: Path, cell: str) -> None:
    write_random_bundle(tmp_path / "model", cell, units=192)
    command = [sys.executable, "-m", "textgen", "sample", "--model", str(tmp_path / "model"), "--json"]
    command += ["--random-seed", "3", "--length", "400"]
    texts = {}
    for threads, count in itertools.product("12", "16"):
        result = subprocess.run(
            [*command, "--count", count], env={**os.environ, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        texts[threads, count] = [json.loads(line)["text"] for line in result.stdout.splitlines()]
    assert texts["1", "6"] == texts["2", "6"]
    assert texts["1", "1"] == texts["2", "1"] == texts["1", "6"][:1]


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
