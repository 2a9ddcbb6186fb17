"""Sampling options: what buttons keep of them, and what becomes of numbers outside their bounds."""

import re

import pytest

from bot.generation.request import SamplingOptions
from models import GuildSettings

DEFAULTS = GuildSettings(length=300, temperature=0.7)


@pytest.mark.parametrize("typical_p", [None, 0.0, 0.95])
@pytest.mark.parametrize("top_p", [None, 0.0, 0.875, 1.0])
@pytest.mark.parametrize("temperature", [0.0, 0.123, 2.0])
def test_a_button_gives_the_same_options_but_for_the_random_seed(
    temperature: float, top_p: float | None, typical_p: float | None
):
    options = SamplingOptions(40, temperature, top_p, random_seed=7, typical_p=typical_p).completed(DEFAULTS)
    match = re.fullmatch(SamplingOptions.ID, options.to_id())
    assert match is not None
    assert SamplingOptions.from_id(match) == SamplingOptions(40, temperature, top_p, typical_p=typical_p)


@pytest.mark.parametrize(
    ("written", "options"),
    [
        ("500:700:-", SamplingOptions(500, 0.7)),
        ("80:0:900", SamplingOptions(80, 0.0, 0.9)),
        ("99999:99999:9999", SamplingOptions(2000, 2.0, 1.0)),
        ("0:700:-", SamplingOptions(1, 0.7)),
    ],
)
def test_ids_of_messages_from_before_are_still_read(written: str, options: SamplingOptions):
    match = re.fullmatch(SamplingOptions.ID, written)
    assert match is not None
    assert SamplingOptions.from_id(match) == options


def test_the_server_decides_what_was_left_open():
    options = SamplingOptions().completed(DEFAULTS)
    assert (options.length, options.temperature, options.top_p, options.count) == (300, 0.7, None, 1)
    assert options.random_seed is not None
    assert SamplingOptions(10, 0.0, 0.5, 3, 2).completed(DEFAULTS) == SamplingOptions(10, 0.0, 0.5, 3, 2)


def test_what_is_shown_is_what_is_sampled():
    options = SamplingOptions(10, 0.123456, 0.98765, 3, typical_p=0.9)
    assert options.in_words() == ["temperature 0.123", "top-p 0.988", "typical-p 0.9", "random seed 3"]
    assert options.for_sampler()["temperature"] == 0.123


@pytest.mark.parametrize("control", ["top_p", "typical_p"])
def test_a_probability_of_zero_means_a_single_token(control: str):
    assert SamplingOptions(**{control: 0.0}).for_sampler()[control] > 0
    assert SamplingOptions().for_sampler()[control] is None
