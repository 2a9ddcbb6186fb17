"""Seeds that end in a space or inside a word: the first tokens spell their end, so nothing derails."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.textgen import bases
from textgen.inference.stepper import State
from textgen.sampling.engine import Engine
from textgen.sampling.prompt_end import open_prompt
from textgen.sampling.request import Request
from textgen.sampling.settings import SamplingSettings
from textgen.sampling.writer import Mark
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


class Pairs(Uniform):
    """A network that knows the last token alone: each pair of tokens has a probability of its own."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__(vocabulary)
        self.table = np.random.default_rng(2).normal(0, 2, (vocabulary, vocabulary))
        # It writes ASCII alone, so each token is text by itself.
        others = [
            token
            for token in range(vocabulary)
            if not BASE.bytes_of(token) or not BASE.bytes_of(token).isascii()
        ]
        self.table[:, others] = -np.inf

    def step(self, tokens: npt.NDArray[np.intp], state: State) -> npt.NDArray[np.float64]:
        for array in state:
            array += 1
        return self.table[tokens].copy()

    def first_tokens(self, last: int, rest: bytes, temperature: float) -> dict[int, float]:
        """The chance of each first token that spells a rest, with all that can follow it."""
        chances: dict[int, float] = {}
        logs = self.table - np.log(np.exp(self.table).sum(axis=1, keepdims=True))
        for first in BASE.spelling(rest).tolist():
            left = rest[len(BASE.bytes_of(first)) :]
            seconds = BASE.spelling(left).tolist() if left else []
            more = np.log(np.exp(logs[first, seconds]).sum()) if left else 0.0
            chances[first] = float(np.exp((logs[last, first] + more) / temperature))
        return {first: chance / sum(chances.values()) for first, chance in chances.items()}


class Kept(Request):
    """A request that knows the tokens of its text: those that were taken back are not among them."""

    def __init__(self, seed: str, settings: SamplingSettings) -> None:
        prompt, rest = open_prompt(seed, BASE)
        super().__init__(prompt, settings, BASE, seed, rest=rest, version=2)
        self.kept_tokens: list[int] = []
        self.taken_back = 0
        feed = self.feed
        self.feed = lambda token: (self.kept_tokens.append(token), feed(token))[1]

    def back(self, mark: Mark, token: int) -> None:
        del self.kept_tokens[mark.fed :]
        self.taken_back += 1
        super().back(mark, token)


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_a_token_that_spells_a_part_is_as_likely_as_what_must_follow_it(temperature: float) -> None:
    network, draws = Pairs(BASE.size), 3_000
    prompt, rest = open_prompt("the b", BASE)
    assert rest == b" b"
    expected = network.first_tokens(int(prompt[-1]), rest, temperature)
    # One token spells a part, and would be drawn too often by its own probability.
    assert any(len(BASE.bytes_of(first)) < len(rest) for first in expected)
    found: Counter[int] = Counter()
    engine = Engine(network)
    for number in range(draws):
        settings = SamplingSettings(length=3, random_seed=number, temperature=temperature)
        request = Kept("the b", settings)
        engine.submit(request)
        while not engine.idle:
            engine.step()
        found[request.kept_tokens[0]] += 1
        assert BASE.decode(request.kept_tokens).startswith(" b" + request.text)
    assert set(found) <= set(expected)
    for first, chance in expected.items():
        spread = (chance * (1 - chance) / draws) ** 0.5
        assert found[first] / draws == pytest.approx(chance, abs=4 * spread + 1e-9)


def test_greedy_decoding_takes_the_likeliest_way_and_company_changes_nothing() -> None:
    network = Pairs(BASE.size)
    for seed in ("the b", "the bo", "is the bot"):
        prompt, rest = open_prompt(seed, BASE)
        expected = network.first_tokens(int(prompt[-1]), rest, 1.0)
        texts = []
        for company in (0, 5):
            engine = Engine(network)
            requests = [Kept(seed, SamplingSettings(length=9, temperature=0)) for _ in range(1 + company)]
            for request in requests:
                engine.submit(request)
            while not engine.idle:
                engine.step()
            assert requests[-1].kept_tokens[0] == max(expected, key=expected.__getitem__)
            texts.append(requests[-1].text)
        assert texts[0] == texts[1]


def test_the_scores_are_of_the_text_also_where_a_token_of_the_seed_was_taken_back() -> None:
    network, taken_back = Pairs(BASE.size), 0
    for number in range(60):
        request = Kept("the b", SamplingSettings(length=12, random_seed=number))
        request.keep_scores(0)
        engine = Engine(network)
        engine.submit(request)
        scores = []
        while not engine.idle:
            engine.step()
            request.take()
            scores += request.take_scores()
        assert "".join(score.token for score in scores) == request.text
        taken_back += request.taken_back
    assert taken_back


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
