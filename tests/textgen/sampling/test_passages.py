"""A text that is kept from repeating its corpus: no long passage, the same text alone and with others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.textgen.bundles import SpellingModel, write_random_bundle
from textgen.evaluation.copies import CopyIndex
from textgen.inference import State
from textgen.model import TextModel
from textgen.sampling import Passages, SamplingSettings
from textgen.sampling.engine import Engine
from textgen.sampling.novelty.passages import LONGEST_WORD, TRIES_A_TEXT
from textgen.sampling.request import Request
from textgen.tokenizers import Tokenizer, WordTokenizer
from textgen.tokenizers.subword import SubwordTokenizer

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


def steps_of(model: TextModel, requests: list[Request]) -> int:
    engine, steps = model.engine(), 0
    for request in requests:
        engine.submit(request)
    while not engine.idle:
        engine.step()
        steps += 1
    return steps


class _Everything:
    """A corpus in which every text stands."""

    def __init__(self, longest: int = LONGEST) -> None:
        self.longest = longest

    def repeats(self, text: str) -> bool:
        return len(text) > self.longest


class _Text:
    """A corpus of one text."""

    longest = LONGEST

    def __init__(self, text: str) -> None:
        self._text = text

    def repeats(self, text: str) -> bool:
        ends = range(LONGEST + 1, len(text) + 1)
        return any(text[end - LONGEST - 1 : end] in self._text for end in ends)


class _Likely:
    """Writes a text as `SpellingModel` does, and knows a second way at each place: the token after it."""

    def __init__(self, model: SpellingModel) -> None:
        self._stepper, self._tokens = model.stepper, model.tokenizer.encode(model.written).tolist()
        self.initial_state = model.stepper.initial_state
        self.features, self.logits = model.stepper.features, model.stepper.logits

    def step(self, tokens: npt.NDArray[np.intp], state: State) -> npt.NDArray[np.float64]:
        places = np.minimum(state[0][:, 0].astype(int), len(self._tokens) - 1)
        logits = self._stepper.step(tokens, state)
        for row, place in enumerate(places):
            logits[row, self._tokens[place] % (logits.shape[1] - 1) + 1] += 900
        return logits


def test_without_any_way_around_it_the_copy_stays_and_the_tries_end(tmp_path: Path) -> None:
    path = tmp_path / "random"
    write_random_bundle(path)
    model = TextModel.load(path)
    request = model.request("the ", SamplingSettings(60, 1.0, 1), [_Everything()])[0]
    assert steps_of(model, [request]) <= 60 + (TRIES_A_TEXT + 1) * LONGEST_WORD
    assert len(request.text) >= 50


WORDS = "the quick brown fox jumps over the lazy dog and then it runs away into the forest again "


@pytest.mark.parametrize(
    "tokenizer",
    [
        SubwordTokenizer.train(WORDS * 6, vocabulary_size=300),
        WordTokenizer.train(WORDS * 6, lowercase=True),
    ],
    ids=["subword", "word"],
)
def test_tokens_of_several_letters_are_drawn_again_one_by_one(tokenizer: Tokenizer) -> None:
    text = WORDS * 3
    model = SpellingModel(text, tokenizer, level="word")
    model.stepper = _Likely(model)
    settings = SamplingSettings(40, 0.0, 1)
    free = model.request("the", settings)[0]
    kept = model.request("the", settings, [_Text(" ".join(text.split()))])[0]
    steps = steps_of(model, [free])
    assert _Text(text).repeats(free.text)
    assert steps_of(model, [kept]) <= 4 * steps
    assert not _Text(text).repeats(kept.text)


@pytest.mark.parametrize(
    "text",
    [
        "你好，世界今天天气很好我们去公园走走吧然后回家吃饭再看书最后睡觉明天还要上班",
        "so this is what we say 😀 and that is 😂 all we know 😃 of it",
    ],
    ids=["ideographs", "emoji"],
)
def test_a_text_never_goes_back_into_a_character(text: str) -> None:
    model = SpellingModel(text, SubwordTokenizer([]), level="byte")
    model.stepper = _Likely(model)
    kept = model.request("x", SamplingSettings(len(text), 0.0, 1), [_Text(text)])[0]
    assert steps_of(model, [kept]) < 10 * len(text.encode())
    assert kept.text != text
    assert "\ufffd" not in kept.text
    assert not _Text(text).repeats(kept.text)
    assert sum(character == other for character, other in zip(kept.text, text, strict=False)) > 20


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_a_seed_that_ends_inside_a_word_is_spelled_first(temperature: float) -> None:
    tokenizer = SubwordTokenizer.train(WORDS * 6, vocabulary_size=300)
    model = SpellingModel(" quick brown fox jumps over the lazy dog", tokenizer, level="subword")
    texts = []
    for count in (1, 3):
        settings = [SamplingSettings(60, temperature, 1 + number) for number in range(count)]
        made = [model.request("see the quick", each, [_Everything(0)])[0] for each in settings]
        assert made[0].rest
        steps_of(model, made)
        texts.append(made[0].text)
    assert texts[0] == texts[1]
    assert "\x00" not in texts[0][:10]


def test_a_list_is_kept_from_its_lines_and_its_passages() -> None:
    model = SpellingModel("one\ntwo\nthree is a longer line than is allowed\n")
    model.stepper = _Likely(model)
    known = {"see one", "two"}
    request = model.request("see ", SamplingSettings(40, 0.0, 1))[0]
    request.novelty = Passages([_Text("three is a longer line than is allowed")], known, "see ")
    steps_of(model, [request])
    lines = ("see " + request.text).split("\n")
    assert not known & set(lines)
    assert not _Text("three is a longer line than is allowed").repeats(request.text)
