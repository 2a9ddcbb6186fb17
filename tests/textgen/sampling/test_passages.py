"""A text that is kept from repeating its corpus: no long passage, the same text alone and with others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.textgen.bundles import write_random_bundle
from textgen.evaluation.copies import CopyIndex
from textgen.model import TextModel
from textgen.sampling import Passages, SamplingSettings
from textgen.sampling.engine import Engine

LONGEST = 20
SETTINGS = SamplingSettings(300, 0.5, random_seed=5)


@pytest.fixture(scope="module")
def model(trained_bundle: Path) -> TextModel:
    return TextModel.load(trained_bundle)


@pytest.fixture
def learned(tmp_path: Path) -> Callable[..., CopyIndex]:
    """Indexes texts as one corpus."""

    def index(*texts: str) -> CopyIndex:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.txt"
        path.write_text("\n\n\n".join(texts), encoding="utf-8")
        return CopyIndex.of(path, LONGEST)

    return index


@pytest.mark.parametrize("temperature", [0.0, 0.5, 1.0])
def test_whatever_the_model_would_write_stands_in_the_corpus_and_yet_it_copies_nothing(
    model: TextModel, learned: Callable[..., CopyIndex], temperature: float
) -> None:
    settings = SamplingSettings(300, temperature, random_seed=5)
    free = model.sample("to ", settings)
    corpus = learned(free.text)
    assert corpus.longest_copy(free.text) >= 290
    kept = model.sample("to ", settings, [corpus])
    assert corpus.longest_copy(kept.text) == 0
    assert len(kept.text) >= 290
    # Up to the first word that would copy too much, nothing is different.
    assert kept.text[:10] == free.text[:10]
    assert model.sample("to ", settings, [corpus]).text == kept.text


def test_no_corpus_of_several_is_repeated(model: TextModel, learned: Callable[..., CopyIndex]) -> None:
    one = learned(model.sample("to ", SETTINGS).text)
    two = learned(model.sample("to ", SETTINGS, [one]).text)
    text = model.sample("to ", SETTINGS, [one, two]).text
    assert one.longest_copy(text) == two.longest_copy(text) == 0


def test_a_text_is_the_same_alone_and_among_others(
    model: TextModel, learned: Callable[..., CopyIndex]
) -> None:
    corpus = learned(*(sample.text for sample in model.samples("", SamplingSettings(300, 0.5, 1, count=3))))
    settings = SamplingSettings(300, 0.5, random_seed=1, count=3)
    together = [sample.text for sample in model.samples("", settings, [corpus])]
    assert not any(map(corpus.longest_copy, together))
    for number, text in enumerate(together):
        alone = SamplingSettings(300, 0.5, random_seed=1 + number)
        assert model.sample("", alone, [corpus]).text == text
    # One that may copy is in the same batch, and does.
    engine = Engine(model.stepper)
    free = model.request("", SamplingSettings(300, 0.5, 1))[0]
    kept = model.request("", SamplingSettings(300, 0.5, 1), [corpus])[0]
    for request in (free, kept):
        engine.submit(request)
    while not engine.idle:
        engine.step()
    assert corpus.longest_copy(free.text) > LONGEST
    assert kept.text == together[0]


def test_controls_stop_sequences_and_streams_hold(
    model: TextModel, learned: Callable[..., CopyIndex]
) -> None:
    settings = SamplingSettings(300, 0.7, random_seed=3, top_p=0.8, repetition_penalty=1.2, no_repeat_ngram=9)
    corpus = learned(model.sample("to ", settings).text)
    whole = model.sample("to ", settings, [corpus])
    assert corpus.longest_copy(whole.text) == 0
    stop = whole.text[100:104]
    cut = SamplingSettings(
        300, 0.7, 3, top_p=0.8, repetition_penalty=1.2, no_repeat_ngram=9, stop=(stop,)
    )  # fmt: skip
    ended = model.sample("to ", cut, [corpus])
    assert ended.ended == "stop"
    assert whole.text.startswith(ended.text + stop)
    pieces = list(model.stream_of(model.request("to ", settings, [corpus])[0]))
    assert len(pieces) > 5
    assert "".join(pieces) == whole.text


def test_without_any_way_around_it_the_copy_stays(
    tmp_path: Path,
) -> None:
    path = tmp_path / "random"
    write_random_bundle(path)
    model = TextModel.load(path)
    request = model.request("the ", SamplingSettings(60, 1.0, 1), [_Everything()])[0]
    engine = model.engine()
    engine.submit(request)
    while not engine.idle:
        engine.step()
    assert len(request.text) >= 50
    assert isinstance(request.novelty, Passages)
    assert request.novelty.copied >= 1


class _Everything:
    """A corpus in which every text stands."""

    longest = LONGEST

    def repeats(self, text: str) -> bool:
        return len(text) > LONGEST
