"""The HTTP service, as OpenAI's own client and those who evaluate models see it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.textgen.bundles import write_random_bundle
from tests.support.textgen.http_service import Service, serving
from textgen import bundle
from textgen.bundle import Bundle
from textgen.model import TextModel
from textgen.network.spec import NetworkSpec
from textgen.sampling import SamplingSettings


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("bundles")
    made = {"plays": root / "plays" / "model", "gru": root / "gru"}
    write_random_bundle(made["plays"], "linear")
    write_random_bundle(made["gru"], "gru")
    return made


@pytest.fixture(scope="module")
def service(bundles: dict[str, Path]) -> Iterator[Service]:
    with serving(bundles["plays"], f"other={bundles['gru']}") as made:
        yield made


def test_the_models_are_listed_by_name(service: Service) -> None:
    assert [model.id for model in service.client().models.list()] == ["plays", "other"]
    model = service.client().models.retrieve("other")
    assert model.object == "model"
    assert model.created > 0


def test_texts_are_those_of_the_library(service: Service, bundles: dict[str, Path]) -> None:
    model = TextModel.load(bundles["plays"])
    answer = service.client().completions.create(
        model="plays", prompt="the end", max_tokens=60, seed=7, n=3, temperature=1.1, top_p=0.9,
        extra_body={"top_k": 9, "repetition_penalty": 1.2},
    )  # fmt: skip
    settings = SamplingSettings(
        length=60, random_seed=7, count=3, temperature=1.1, top_p=0.9, top_k=9, repetition_penalty=1.2
    )
    samples = model.samples("the end", settings)
    assert [choice.text for choice in answer.choices] == [sample.text for sample in samples]
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert [choice.finish_reason for choice in answer.choices] == ["length"] * 3
    assert [choice.model_extra["seed"] for choice in answer.choices if choice.model_extra] == [7, 8, 9]
    assert answer.object == "text_completion"
    assert answer.model == "plays"
    assert answer.usage
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 180)


def test_several_prompts_and_the_other_model(service: Service, bundles: dict[str, Path]) -> None:
    answer = service.client().completions.create(
        model="other", prompt=["the ", "A din"], max_tokens=20, seed=3, echo=True
    )
    model = TextModel.load(bundles["gru"])
    expected = [seed + model.generate(seed, length=20, random_seed=3) for seed in ("the ", "A din")]
    assert [choice.text for choice in answer.choices] == expected


def test_without_a_prompt_the_text_begins_with_a_line_start(
    service: Service, bundles: dict[str, Path]
) -> None:
    answer = service.client().completions.create(model="plays", prompt="", max_tokens=20, seed=5)
    sample = TextModel.load(bundles["plays"]).sample("", SamplingSettings(length=20, random_seed=5))
    assert answer.choices[0].text == sample.seed + sample.text


def test_a_stream_has_the_same_text_in_pieces(service: Service, bundles: dict[str, Path]) -> None:
    stream = service.client().completions.create(
        model="plays", prompt="the ", max_tokens=40, seed=1, n=2, stream=True, echo=True,
        stream_options={"include_usage": True},
    )  # fmt: skip
    texts, reasons, chunks = ["", ""], {}, list(stream)
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] += choice.text
            if choice.finish_reason:
                reasons[choice.index] = choice.finish_reason
    written = TextModel.load(bundles["plays"]).generate("the ", length=40, random_seed=1, count=2)
    assert texts == ["the " + text for text in written]
    assert reasons == {0: "length", 1: "length"}
    assert len(chunks) >= 5
    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens == 80
    assert len({chunk.id for chunk in chunks}) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_stop_sequence_ends_a_text(service: Service, bundles: dict[str, Path], stream: bool) -> None:
    model = TextModel.load(bundles["plays"])
    whole = model.generate("the ", length=80, random_seed=2)
    stop = whole[20:23]
    answer = service.client().completions.create(
        model="plays", prompt="the ", max_tokens=80, seed=2, stop=[stop, "~"], stream=stream
    )
    chunks = list(answer) if stream else [answer]  # type: ignore[arg-type, list-item]
    text = "".join(choice.text for chunk in chunks for choice in chunk.choices)  # type: ignore[union-attr]
    assert text == whole[: whole.index(stop)]
    assert chunks[-1].choices[0].finish_reason == "stop"  # type: ignore[union-attr]


@pytest.mark.parametrize("stream", [False, True])
def test_logprobs_are_those_of_the_model_before_controls(
    service: Service, bundles: dict[str, Path], stream: bool
) -> None:
    model = TextModel.load(bundles["plays"])
    answer = service.client().completions.create(
        model="plays", prompt="the end", max_tokens=12, seed=4, logprobs=2, echo=True, temperature=0.3,
        stream=stream, extra_body={"top_k": 3},
    )  # fmt: skip
    chunks = list(answer) if stream else [answer]  # type: ignore[arg-type, list-item]
    choices = [choice for chunk in chunks for choice in chunk.choices]  # type: ignore[union-attr]
    text = "".join(choice.text for choice in choices)
    shown = [choice.logprobs for choice in choices if choice.logprobs]
    tokens = [token for each in shown for token in each.tokens or ()]
    logarithms = [number for each in shown for number in each.token_logprobs or ()]
    tops = [top for each in shown for top in each.top_logprobs or ()]
    offsets = [offset for each in shown for offset in each.text_offset or ()]
    assert "".join(tokens) == text
    assert len(text) == 19
    assert offsets == list(range(19))
    assert logarithms[0] is None
    assert tops[0] is None
    assert logarithms[1:] == pytest.approx(model.log_probabilities(text).tolist(), abs=1e-9)
    predicted = model.next_token(text[:10])
    likeliest = sorted(predicted, key=lambda token: -predicted[token])[:2]
    assert set(tops[10]) == {*likeliest, text[10]}
    assert tops[10][text[10]] == pytest.approx(math.log(predicted[text[10]]), abs=1e-6)


def test_a_text_is_scored_without_writing_as_evaluation_harnesses_do(
    service: Service, bundles: dict[str, Path]
) -> None:
    answer = service.client().completions.create(
        model="plays", prompt=["the end.", "A din"], max_tokens=0, echo=True, logprobs=1, temperature=0
    )
    model = TextModel.load(bundles["plays"])
    for choice, text in zip(answer.choices, ("the end.", "A din"), strict=True):
        assert choice.text == text
        assert choice.logprobs
        assert choice.logprobs.token_logprobs
        assert sum(choice.logprobs.token_logprobs[1:]) == pytest.approx(model.log_probabilities(text).sum())
    assert answer.usage
    assert answer.usage.completion_tokens == 0


def test_tokens_are_counted_where_they_are_no_characters(tmp_path: Path) -> None:
    from textgen import tokenizers

    text = "the theatre then thinks of the thing there\n" * 40
    tokenizer = tokenizers.train("subword", text, vocabulary_size=300)
    made = _bundle_of(tokenizer, tmp_path / "subwords")
    with serving(made) as service:
        answer = service.client().completions.create(
            model="subwords", prompt="the th", max_tokens=9, seed=1, logprobs=0, echo=True
        )
        plain = service.client().completions.create(model="subwords", prompt="the th", max_tokens=9, seed=1)
    choice = answer.choices[0]
    assert choice.logprobs
    assert choice.text == "the th" + plain.choices[0].text
    sample = TextModel.load(made).sample("the th", SamplingSettings(length=200, random_seed=1))
    assert sample.text.startswith(plain.choices[0].text.rstrip("\N{REPLACEMENT CHARACTER}"))
    written = [offset for offset in choice.logprobs.text_offset or () if offset >= len("the th")]
    assert 7 <= len(written) <= 10


def _bundle_of(tokenizer: object, path: Path) -> Path:
    import numpy as np

    from tests.support.textgen.bundles import manifest_of
    from textgen.tokenizers import SubwordTokenizer

    assert isinstance(tokenizer, SubwordTokenizer)
    spec = NetworkSpec("gru", tokenizer.size, embedding=12, units=24, layers=1)
    random = np.random.default_rng(5)
    weights = {name: random.normal(0, 0.5, shape).astype(np.float32) for name, shape in spec.shapes().items()}
    import dataclasses

    manifest = dataclasses.replace(manifest_of(spec), level="subword")
    bundle.write(path, Bundle(spec, tokenizer, weights, manifest, ()))
    return path
