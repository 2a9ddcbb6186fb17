"""Figures of a model are what their definitions say."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import numpy as np
import pytest

from tests.support.textgen.bundles import SYMBOLS, random_bundle, write_random_bundle
from tests.support.textgen.command import refusal, textgen
from textgen.errors import SettingsError
from textgen.evaluation import mean_loss, random_windows, stateful_pass
from textgen.evaluation.memorization import GRAM, memorization
from textgen.model import TextModel

TEXT = "".join(random.Random(3).choices(SYMBOLS, k=700))


@pytest.fixture(scope="module")
def model() -> TextModel:
    return TextModel(random_bundle())


def test_a_stateful_pass_multiplies_the_probabilities_of_every_next_token(model: TextModel) -> None:
    figures = stateful_pass(model, TEXT[:60])
    nats = -sum(math.log(model.next_token(TEXT[:end])[TEXT[end]]) for end in range(1, 60))
    assert figures.tokens == figures.characters == 59
    assert figures.nats_per_character == pytest.approx(nats / 59)
    assert figures.bits_per_character == pytest.approx(nats / 59 / math.log(2))
    assert figures.perplexity_per_token == pytest.approx(math.exp(nats / 59))
    assert figures.unseen == 0


def test_windows_are_each_read_from_nothing(model: TextModel) -> None:
    """With windows as long as the text there is only one, and it is the stateful pass."""
    text = TEXT[:101]
    only = random_windows(model, text, window=100, windows=3)
    assert only.nats_per_token == pytest.approx(stateful_pass(model, text).nats_per_token)
    assert only.standard_error == pytest.approx(0, abs=1e-9)

    figures = random_windows(model, TEXT, window=5, windows=200, random_seed=4)
    starts = np.random.default_rng(4).integers(0, len(TEXT) - 5, 200)
    means = [stateful_pass(model, TEXT[start : start + 6]).nats_per_token for start in starts]
    assert figures.nats_per_token == pytest.approx(np.mean(means))
    assert figures.standard_error == pytest.approx(np.std(means) / math.sqrt(200))


def test_the_quick_figure_is_the_mean_over_strips_from_all_of_the_text(model: TextModel) -> None:
    text = "".join(random.Random(9).choices(SYMBOLS, k=2_001))
    tokens = model.tokenizer.encode(text)
    halves = [stateful_pass(model, text[start : start + 1_001]).nats_per_token for start in (0, 1_000)]
    assert mean_loss(model, tokens, limit=10**9, rows=2) == pytest.approx(np.mean(halves))
    begun = [stateful_pass(model, text[start : start + 101]).nats_per_token for start in (0, 1_000)]
    assert mean_loss(model, tokens, limit=200, rows=2) == pytest.approx(np.mean(begun))
    assert mean_loss(model, tokens[:50], limit=10**9) == pytest.approx(
        stateful_pass(model, text[:50]).nats_per_token
    )


def test_unseen_tokens_are_counted(model: TextModel) -> None:
    assert stateful_pass(model, "the ß end ß").unseen == pytest.approx(2 / 11)


def test_a_text_that_is_too_short_is_refused(model: TextModel) -> None:
    with pytest.raises(SettingsError, match="has 1 tokens; at least 2"):
        stateful_pass(model, "a")
    with pytest.raises(SettingsError, match="has 9 tokens; at least 257"):
        random_windows(model, TEXT[:9])
    with pytest.raises(SettingsError, match="window is 0"):
        random_windows(model, TEXT, window=0)


def slow_memorization(samples: list[str], corpus: str) -> tuple[float, int]:
    grams = [sample[at : at + GRAM] for sample in samples for at in range(len(sample) - GRAM + 1)]
    copied = sum(gram in corpus for gram in grams)
    longest = max(
        (length for sample in samples for at in range(len(sample))
         for length in range(1, len(sample) - at + 1) if sample[at : at + length] in corpus),
        default=0,
    )  # fmt: skip
    return copied / len(grams) if grams else 0.0, longest


@pytest.mark.parametrize("seed", range(8))
def test_copied_runs_are_those_that_a_search_finds(seed: int) -> None:
    draw = random.Random(seed)
    corpus = "".join(draw.choices("abcé 😀", k=400))
    samples = []
    for _ in range(3):
        at, length = draw.randrange(350), draw.randrange(5, 50)
        samples.append("".join(draw.choices("abz", k=20)) + corpus[at : at + length] + "zz")
    found = memorization(samples, corpus)
    share, longest = slow_memorization(samples, corpus)
    assert found.share == pytest.approx(share)
    assert found.longest == longest == len(found.longest_run)
    assert found.longest_run in corpus
    assert any(found.longest_run in sample for sample in samples)


@pytest.mark.parametrize(
    ("samples", "corpus"), [([], "abc"), (["zzz"], "abc"), (["", "x"], ""), (["short"], "short")]
)
def test_memorization_of_very_little(samples: list[str], corpus: str) -> None:
    found = memorization(samples, corpus)
    assert found.share == 0
    assert found.longest == (5 if samples == ["short"] else 0)


@pytest.mark.slow
def test_the_command_prints_both_protocols_and_what_was_copied(tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    arguments = ("evaluate", "--model", tmp_path / "model", tmp_path / "text.txt")
    told = json.loads(textgen(*arguments, "--json", "--corpus", tmp_path / "text.txt").stdout)
    assert told["tokens"] == len(TEXT) - 1
    assert told["bits_per_character"] == pytest.approx(told["nats_per_character"] / math.log(2))
    assert 0 <= told["copied_share"] <= 1
    shown = textgen(*arguments, "--protocol", "windows", "--window", "50").stdout
    assert "windows of 50 tokens" in shown
    assert "±" in shown
    assert "at least 9001" in refusal(textgen(*arguments, "--protocol", "windows", "--window", "9000"))
