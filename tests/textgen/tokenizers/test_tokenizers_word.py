"""Words come apart as in the Penn Treebank, and together again as they were."""

from __future__ import annotations

import random
import time
import tracemalloc

import pytest
from nltk.tokenize import NLTKWordTokenizer, TreebankWordDetokenizer

from tests.support.texts.hard_strings import HARD_SENTENCES
from textgen.tokenizers import UNKNOWN, WordTokenizer
from textgen.tokenizers import word as word_module

PROSE = (
    "The old man said: \"I don't know, and she'll never tell.\"\n"
    "They went home (it was late), and nobody spoke; the dog barked.\n"
    "'Tis gonna rain, isn't it? He can't come -- what a pity!\n"
) * 3


def names(tokenizer: WordTokenizer, text: str) -> list[str]:
    """Return the tokens of a text without those that stand for spaces."""
    found = [tokenizer.name_of(int(token)) for token in tokenizer.encode(text)]
    return [name for name in found if name.strip()]


def test_hard_sentences_are_restored(capsys: pytest.CaptureFixture[str]) -> None:
    tokenizer = WordTokenizer.train("\n".join(HARD_SENTENCES), lowercase=False)
    restored = sum(tokenizer.decode(tokenizer.encode(text)) == text for text in HARD_SENTENCES)
    split, join = NLTKWordTokenizer().tokenize, TreebankWordDetokenizer().detokenize
    by_nltk = sum(join(split(text)) == text for text in HARD_SENTENCES)
    count = len(HARD_SENTENCES)
    with capsys.disabled():
        print(
            f"\nrestored: {restored / count:.1%} of {count} hard sentences (nltk alone {by_nltk / count:.1%})"
        )
    assert count == 60
    assert restored / count >= 0.95


def test_ordinary_sentences_have_the_tokens_that_nltk_gives_them() -> None:
    tokenizer = WordTokenizer.train("\n".join(HARD_SENTENCES), lowercase=False)
    split = NLTKWordTokenizer().tokenize
    agreeing = [text for text in HARD_SENTENCES if names(tokenizer, text) == split(text)]
    assert len(agreeing) / len(HARD_SENTENCES) >= 0.7
    for text in PROSE.splitlines()[:2]:
        own = WordTokenizer.train(PROSE, lowercase=False)
        assert names(own, text) == split(text)


def test_spaces_rarely_need_tokens_of_their_own() -> None:
    tokenizer = WordTokenizer.train(PROSE, lowercase=True)
    tokens = tokenizer.encode(PROSE)
    spacing = [token for token in tokens.tolist() if tokenizer.name_of(token) in ("", " ")]
    assert spacing == []
    assert tokenizer.decode(tokens) == PROSE.lower()


def test_what_a_model_writes_reads_like_prose() -> None:
    tokenizer = WordTokenizer.train(PROSE, lowercase=True)
    token = {tokenizer.name_of(number): number for number in range(tokenizer.size)}
    written = [
        "``",
        "nobody",
        "ca",
        "n't",
        "tell",
        "(",
        "'t",
        "is",
        "late",
        ")",
        ",",
        "''",
        "she",
        "said",
        ".",
        "\n",
        "he",
    ]
    assert (
        tokenizer.decode([token[name] for name in written])
        == "\"nobody can't tell ('tis late),\" she said.\nhe"
    )


def test_spacing_is_learnt_from_the_text_whatever_its_language() -> None:
    french = "« Oui ! » dit-elle ; « non » : voilà ?\n" * 20
    tokenizer = WordTokenizer.train(french, lowercase=False)
    assert tokenizer.joins_left == []
    assert tokenizer.decode(tokenizer.encode(french)) == french
    chinese = "你好，世界。\n" * 20
    tokenizer = WordTokenizer.train(chinese, lowercase=False)
    token = {tokenizer.name_of(number): number for number in range(tokenizer.size)}
    assert tokenizer.decode([token[name] for name in "世界，你好。"]) == "世界，你好。"


def test_a_newline_is_a_token() -> None:
    tokenizer = WordTokenizer.train(PROSE, lowercase=True)
    assert tokenizer.encode("\n\n").tolist() == [3, 3]
    assert tokenizer.decode(tokenizer.encode("the dog\n\nthe man\n")) == "the dog\n\nthe man\n"


def test_pristine_input_is_split_at_white_space_alone() -> None:
    text = "Don't  touch,\nplease ( now ) ."
    tokenizer = WordTokenizer.train(text, lowercase=False, splitting="space")
    assert names(tokenizer, text) == text.split()
    assert tokenizer.decode(tokenizer.encode(text)) == "Don't touch, please (now)."


def test_pristine_output_shows_the_tokens() -> None:
    tokenizer = WordTokenizer.train(PROSE, lowercase=True, pristine_output=True)
    text = 'She said: "I can\'t."\nThe dog barked.'
    expected = "she said : `` i ca n't . ''\nthe dog barked ."
    assert tokenizer.decode(tokenizer.encode(text)) == expected


def test_a_seed_loses_the_blank_that_comes_with_the_next_word() -> None:
    tokenizer = WordTokenizer.train(PROSE, lowercase=True)
    seed = tokenizer.seed_text("The dog ")
    assert seed == "the dog"
    prompt = tokenizer.encode(seed)
    assert seed + tokenizer.decode(tokenizer.encode("barked."), after=prompt) == "the dog barked."


def test_an_unseen_word_is_unknown_and_named() -> None:
    tokenizer = WordTokenizer.train(PROSE, lowercase=True)
    tokens = tokenizer.encode("The unicorn, barked")
    assert tokens.tolist().count(UNKNOWN) == 1
    assert (tokens != UNKNOWN).mean() == 0.75
    assert tokenizer.unseen('The unicorn, barked. "Unicorn!"\nDragons') == ["unicorn", "dragons"]
    assert tokenizer.decode(tokens) == "the \N{REPLACEMENT CHARACTER}, barked"


def test_the_vocabulary_is_capped_at_the_most_frequent() -> None:
    tokenizer = WordTokenizer.train("b b a a a c", lowercase=True, vocabulary_size=6)
    assert tokenizer.words == ["", " ", "\n", "a", "b"]
    assert tokenizer.unseen("a b c") == ["c"]


def test_words_that_occur_once_train_the_unknown_token() -> None:
    text = "the cat and the dog\n" * 4_000 + "an axolotl\n"
    tokenizer = WordTokenizer.train(text, lowercase=True)
    assert tokenizer.unseen("the axolotl") == ["axolotl"]
    assert tokenizer.encode(text).tolist().count(UNKNOWN) == 2


@pytest.mark.slow
def test_a_million_distinct_words_take_bounded_memory_and_time() -> None:
    draw = random.Random(3)
    common = " ".join(f"common{number % 50}" for number in range(20_000)) + "\n"
    lines = [" ".join(f"w{draw.getrandbits(60):x}" for _ in range(10)) + "\n" for _ in range(100_000)]
    tracemalloc.start()
    begun = time.perf_counter()
    tokenizer = WordTokenizer.train((common, *lines), lowercase=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert tokenizer.size <= word_module.DEFAULT_WORDS
    assert tokenizer.unseen(common) == []
    assert peak < 250 << 20
    assert time.perf_counter() - begun < 60
