"""A base writes and predicts like every other model."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from tests.support.textgen import bases
from textgen.evaluation import random_windows
from textgen.model import TextModel
from textgen.pretrained import store
from textgen.sampling import SamplingSettings


@pytest.fixture
def model() -> TextModel:
    bases.add()
    return TextModel.of_base("tiny")


def test_the_same_text_alone_in_a_batch_streamed_and_after_a_copy(model: TextModel) -> None:
    settings = {"length": 60, "temperature": 0.9, "random_seed": 3}
    alone = model.generate("the bot", **settings)
    assert 50 <= len(alone) <= 60
    assert model.generate("the bot", count=3, **settings)[0] == alone
    assert "".join(model.stream("the bot", **settings)) == alone
    assert pickle.loads(pickle.dumps(model)).generate("the bot", **settings) == alone  # noqa: S301 -- our own
    assert not any(name in alone for name in bases.SPECIAL)


def test_every_control_and_stop_sequences_work(model: TextModel) -> None:
    controls = {"top_k": 50, "top_p": 0.95, "min_p": 0.001, "typical_p": 0.95, "repetition_penalty": 1.1}
    text = model.generate("the bot", length=40, random_seed=1, no_repeat_ngram=3, **controls)
    assert 30 <= len(text) <= 40
    stop = text[10:12]
    ended = model.sample(
        "the bot", SamplingSettings(length=40, random_seed=1, no_repeat_ngram=3, stop=stop, **controls)
    )
    assert ended.text == text[: text.index(stop)]
    assert ended.ended == "stop"
    greedy = model.generate("the bot", length=20, temperature=0)
    assert greedy == model.generate("the bot", length=20, temperature=0, random_seed=9)


def test_without_a_seed_it_begins_a_line(model: TextModel) -> None:
    sample = model.sample("", SamplingSettings(length=20, random_seed=1))
    assert sample.seed == ""
    assert len(sample.text) > 10


def test_probabilities(model: TextModel) -> None:
    text = "the bot is in the bot"
    tokens = model.tokenizer.encode(text)
    found = model.log_probabilities(text)
    assert found.shape == (len(tokens) - 1,)
    chances = model.next_token("the bot")
    assert sum(chances.values()) == pytest.approx(1)
    assert chances["<|im_start|>"] == 0
    after = model.log_probabilities("the bot is")[-1]
    assert chances[" is"] == pytest.approx(np.exp(after))
    assert random_windows(model, text * 20, window=16, windows=8).nats_per_token == pytest.approx(5.6, abs=1)


def test_memory_counts_the_weights(model: TextModel) -> None:
    assert model.memory > store.find("tiny").spec.parameters
