"""Counts that learn a text while it is read: from what came before alone, and only where it is asked for."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.textgen.bundles import SYMBOLS, manifest_of, random_bundle, write_random_bundle
from tests.support.textgen.command import refusal, textgen
from textgen import bundle
from textgen.bundle import Bundle
from textgen.errors import SettingsError
from textgen.evaluation import stateful_pass
from textgen.evaluation.adaptive import adaptive_pass
from textgen.experts.long import Long
from textgen.experts.words import Words
from textgen.experts.words.contexts import kinds_of
from textgen.model import TextModel

TEXT = "".join(random.Random(3).choices(SYMBOLS, k=300)) * 4


@pytest.fixture(scope="module")
def counts() -> Bundle:
    """A model that writes what all kinds of counts of an unrelated text expect."""
    made = random_bundle("linear")
    vocabulary = made.tokenizer.size
    kinds = kinds_of([made.tokenizer.name_of(token) for token in range(vocabulary)])
    text = np.random.default_rng(5).integers(0, vocabulary, 300)
    experts = (*made.experts, Words.count(text, vocabulary, kinds), Long.count(text, vocabulary))
    spec = replace(made.spec, experts=("words", "long"))
    weights = {name: np.zeros(shape, np.float32) for name, shape in spec.shapes().items()}
    weights["prior.bias"][:] = 1 / 3
    return replace(made, spec=spec, weights=weights, experts=experts, manifest=manifest_of(spec))


def test_a_text_that_repeats_itself_is_learnt_while_it_is_read(counts: Bundle) -> None:
    read, learnt = stateful_pass(TextModel(counts), TEXT), adaptive_pass(counts, TEXT)
    assert learnt.nats_per_character < 0.6 * read.nats_per_character
    assert learnt.protocol == "stateful pass, counts adapt every 256 tokens"
    # The first piece is read as ever, and the model itself learns nothing.
    assert (
        adaptive_pass(counts, TEXT[:200]).nats_per_token
        == stateful_pass(TextModel(counts), TEXT[:200]).nats_per_token
    )
    assert stateful_pass(TextModel(counts), TEXT) == read


@pytest.mark.slow
def test_a_token_is_predicted_from_those_before_it_alone(counts: Bundle) -> None:
    """Over all tokens that could come next, what is predicted sums to 1: right after learning, and later."""
    for length in (513, 520):
        before = adaptive_pass(counts, TEXT[:length]).nats_per_token * (length - 1)
        after = [adaptive_pass(counts, TEXT[:length] + symbol).nats_per_token * length for symbol in SYMBOLS]
        unknown = adaptive_pass(counts, TEXT[:length] + "☃").nats_per_token * length
        assert sum(math.exp(before - nats) for nats in [*after, unknown]) == pytest.approx(1)


def test_a_model_without_counts_is_refused() -> None:
    with pytest.raises(SettingsError, match="no counts"):
        adaptive_pass(random_bundle("lstm"), TEXT)
    with pytest.raises(SettingsError, match="1 tokens; at least 2"):
        adaptive_pass(random_bundle("linear"), "a")


@pytest.mark.slow
def test_the_command_names_it(counts: Bundle, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    bundle.write(tmp_path / "model", counts)
    write_random_bundle(tmp_path / "lstm")
    arguments = ("evaluate", tmp_path / "text.txt", "--adapt", "--model")
    told = json.loads(textgen(*arguments, tmp_path / "model", "--json").stdout)
    assert told["protocol"] == "stateful pass, counts adapt every 256 tokens"
    assert told["nats_per_character"] == pytest.approx(adaptive_pass(counts, TEXT).nats_per_character)
    assert "no counts" in refusal(textgen(*arguments, tmp_path / "lstm"))
    assert textgen(*arguments, tmp_path / "model", "--protocol", "windows").returncode == 2
