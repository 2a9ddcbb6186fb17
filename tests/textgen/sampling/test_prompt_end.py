"""Seeds that end in a space or inside a word: the first tokens spell their end, so nothing derails."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.textgen import bases
from textgen.inference.stepper import State
from textgen.sampling.engine import Engine
from textgen.sampling.prompt_end import open_prompt
from textgen.sampling.request import Request
from textgen.sampling.settings import SamplingSettings
from textgen.tokenizers import ByteTokenizer, CharacterTokenizer, SubwordTokenizer, Tokenizer

BASE = bases.tokenizer()
SUBWORD = SubwordTokenizer.train("the bot is the bot of the bots, the program. " * 30, vocabulary_size=300)


class Uniform:
    """A network to which every token is as likely as any other."""

    def __init__(self, vocabulary: int) -> None:
        self.vocabulary = vocabulary

    def initial_state(self, batch: int) -> State:
        return [np.zeros((batch, 1), np.float32)]

    def step(self, tokens: npt.NDArray[np.intp], state: State) -> npt.NDArray[np.float64]:
        return np.zeros((len(tokens), self.vocabulary))

    def features(self, tokens: npt.NDArray[np.intp], state: State) -> npt.NDArray[np.float64]:
        return np.zeros((*tokens.shape, 1))

    def logits(self, features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.zeros((*features.shape[:-1], self.vocabulary))


def written(tokenizer: Tokenizer, seed: str, random_seed: int, length: int = 12) -> tuple[list[int], str]:
    """The tokens that are drawn after a seed, and the text that is given out."""
    prompt, rest = open_prompt(seed, tokenizer)
    settings = SamplingSettings(length=length, random_seed=random_seed)
    request = Request(prompt, settings, tokenizer, seed, rest=rest)
    drawn: list[int] = []
    feed = request.feed
    request.feed = lambda token: (drawn.append(token), feed(token))[0]
    engine = Engine(Uniform(tokenizer.size))
    engine.submit(request)
    while not engine.idle:
        engine.step()
    return drawn, request.text


SEEDS = ["the bot ", "the bot", "the bo", "b", " ", "the\n", "two  ", "Zoë", "naïve ä", "🏳️‍🌈", "x" * 100]


@pytest.mark.parametrize("tokenizer", [BASE, SUBWORD], ids=["base", "subword"])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_drawn_tokens_spell_the_seed_and_go_on(tokenizer: Tokenizer, seed: str) -> None:
    prompt, rest = open_prompt(seed, tokenizer)
    for random_seed in range(8):
        drawn, text = written(tokenizer, seed, random_seed)
        spelled = tokenizer.decode([*prompt.tolist(), *drawn]).removeprefix(
            "" if seed.startswith("\n") else "\n"
        )
        assert spelled.startswith(seed + text)
        assert len(text) >= 1
        assert not rest or seed.encode().endswith(rest)


def test_a_space_is_part_of_the_word_that_is_drawn() -> None:
    prompt, rest = open_prompt("the bot ", BASE)
    assert (BASE.decode(prompt.tolist()), rest) == ("the bot", b" ")
    assert {BASE.name_of(token) for token in BASE.spelling(rest)} == {
        *(" ", "  ", " t", " b", " the", " bot", " i", " is", " bo")
    }
    firsts = {BASE.name_of(written(BASE, "the bot ", number)[0][0]) for number in range(40)}
    assert {" is", " the", " bot"} <= firsts


def test_a_word_may_end_otherwise_than_its_tokens_say() -> None:
    prompt, rest = open_prompt("the bo", BASE)
    assert (BASE.decode(prompt.tolist()), rest) == ("the", b" bo")
    assert {BASE.name_of(token) for token in BASE.spelling(rest)} == {" ", " b", " bo", " bot"}


@pytest.mark.parametrize(
    "tokenizer",
    [CharacterTokenizer("abc ", lowercase=False), ByteTokenizer("abc ")],
    ids=["char", "byte"],
)
def test_where_no_token_joins_letters_the_whole_seed_is_read(tokenizer: Tokenizer) -> None:
    prompt, rest = open_prompt("ab ", tokenizer)
    assert (tokenizer.decode(prompt.tolist()), rest) == ("ab ", b"")


def test_a_word_that_no_other_token_continues_is_read_as_it_is() -> None:
    prompt, rest = open_prompt("the\n", SUBWORD)
    assert (SUBWORD.decode(prompt.tolist()), rest) == ("the\n", b"")


def test_stop_sequences_and_lengths_do_not_count_the_end_of_the_seed() -> None:
    for random_seed in range(20):
        assert len(written(SUBWORD, "the bot ", random_seed, length=5)[1]) <= 5
    prompt, rest = open_prompt("the bot", SUBWORD)
    settings = SamplingSettings(length=30, random_seed=1, stop="bot")
    request = Request(prompt, settings, SUBWORD, "the bot", rest=rest)
    for token in SUBWORD.encode(" bot is a bot.").tolist():
        request.feed(token)
    assert (request.text, request.ended) == (" is a ", "stop")
