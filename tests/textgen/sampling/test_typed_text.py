"""Seeds and stop texts as people and phones type them, at a model that was read another way."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.textgen.bundles import SpellingModel
from tests.support.texts.hard_strings import HARD, HARD_SENTENCES
from textgen import tokenizers
from textgen.corpus import normal_form
from textgen.errors import SettingsError
from textgen.levels import LEVELS
from textgen.sampling import SamplingSettings
from textgen.sampling.typed_text import Typed, read_seed
from textgen.tokenizers import Tokenizer

PLAIN = (
    "\"Who's there?\" he said - not I... It isn't so; the office knows of it.\n"
    'Nay, answer me: "Stand, and unfold yourself" 1 2 - a (tale) of AE & No!\n'
) * 40
PRINTED = "“Who’s there?” he said — not I… It isn’t so; ‘the office’ knows — of it.\n" * 60


def tokenizer_of(text: str, level: str = "char", *, pristine: bool = True) -> Tokenizer:
    if level == "word":
        return tokenizers.WordTokenizer.train(text, lowercase=not pristine)
    return tokenizers.train(level, text, pristine_input=pristine)


KNOWN = {
    (level, corpus): tokenizer_of(text, level)
    for level in LEVELS
    for corpus, text in (("plain", PLAIN), ("printed", PRINTED))
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("“Who’s there?”", '"Who\'s there?"'),
        ("„Who‘s there?“", '"Who\'s there?"'),
        ("he said – not I…", "he said - not I..."),
        ("he said — not I", "he said - not I"),
        ("he\u00a0said\u202f-\u2009not\u3000I", "he said - not I"),
        ("Ｎａｙ， ａｎｓｗｅｒ me：", "Nay, answer me:"),
        ("the oﬃce", "the office"),
        ("𝐍𝐚𝐲, 𝘢𝘯𝘴𝘸𝘦𝘳", "Nay, answer"),
        ("an\u00adswer m\u200be", "answer me"),
        ("It isn’t so", "It isn't so"),
    ],
)
def test_what_a_phone_writes_is_read_in_the_corpus_own_marks(level: str, typed: str, read: str) -> None:
    assert read_seed(typed, KNOWN[level, "plain"], "refuse").text == read


@pytest.mark.parametrize("level", ["char", "word"])
@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ('"Who\'s there?"', "“Who’s there?”"),
        ("'the office'", "‘the office’"),
        ("he said -- not I", "he said — not I"),
        ("he said - not I", "he said — not I"),
        ("SO", "so"),
        ("It isn't so", "It isn’t so"),
    ],
)
def test_a_printed_corpus_gets_its_own_marks_too(level: str, typed: str, read: str) -> None:
    assert read_seed(typed, KNOWN[level, "printed"], "refuse").text == read


def test_a_lower_cased_model_reads_every_case() -> None:
    for level in ("char", "word"):
        lower = tokenizer_of(PLAIN, level, pristine=False)
        assert read_seed("ＷＨＯ’S THERE", lower, "refuse") == Typed(
            "who's there",
            (("ｗｈｏ’s", "who's"),) if level == "word" else read_seed("ｗｈｏ’", lower, "drop").folded,
        )


def test_a_known_form_is_taken_before_the_plain_one() -> None:
    both = tokenizer_of(PLAIN + PRINTED)
    assert read_seed("“Who’s – there…", both, "refuse").text == "“Who’s - there…"


@pytest.mark.parametrize(
    ("level", "left"),
    [
        ("char", "Who's  there Na"),
        ("word", "Who's there"),
        ("subword", "Who's 漢字 there Naéф"),
        ("byte", "Who's 漢字 there Naéф"),
    ],
)
def test_the_rest_is_left_out_and_named(level: str, left: str) -> None:
    typed = read_seed("Who’s 漢字 there Naéф", KNOWN[level, "plain"], "drop")
    assert typed.text == left
    assert typed.unseen == {
        "char": ("漢", "字", "é", "ф"),
        "word": ("漢", "字", "Naéф"),
        "subword": (),
        "byte": (),
    }[level]  # fmt: skip


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", ["🦉", " 漢字 ", "\ud83d", "\x00", "\u200b\u2060", "фы"])
def test_only_a_seed_of_which_nothing_is_left_is_refused(level: str, seed: str) -> None:
    tokenizer = KNOWN[level, "plain"]
    if level in ("subword", "byte") and seed.strip() in ("🦉", "漢字", "фы"):
        assert read_seed(seed, tokenizer, "drop").text == seed  # bytes spell every character
        return
    with pytest.raises(SettingsError, match=r"has never seen .*; write the seed with symbols of its corpus"):
        read_seed(seed, tokenizer, "drop")


@pytest.mark.parametrize("corpus", ["plain", "printed"])
@pytest.mark.parametrize("level", LEVELS)
@given(st.one_of(st.text(), st.sampled_from([*HARD.values(), *HARD_SENTENCES]).map(lambda text: text[:300])))
def test_what_was_read_is_read_as_it_is(level: str, corpus: str, seed: str) -> None:
    tokenizer = KNOWN[level, corpus]
    try:
        once = read_seed(seed, tokenizer, "drop")
    except SettingsError:
        return
    again = read_seed(once.text, tokenizer, "refuse") if once.text.strip() else once
    assert again.text == once.text
    assert not tokenizer.unseen(once.text)
    assert tokenizer.encode(again.text).tolist() == tokenizer.encode(once.text).tolist()


@pytest.mark.parametrize(
    ("stop", "text"),
    [
        ("’s", 'He said: "Who'),
        ("“", "He said: "),
        ("Who\u2019s\u00a0there", 'He said: "'),
        ("\r\n", "He said: \"Who's there... é"),
        ("e\u0301", "He said: \"Who's there... "),
        ("…", "He said: \"Who's there"),
        ("ｓａｉｄ：", "He "),
    ],
)
def test_a_stop_text_is_read_like_a_seed(stop: str, text: str) -> None:
    model = SpellingModel("He said: \"Who's there... é\nand more")
    sample = model.sample("the ", SamplingSettings(length=34, temperature=0, stop=stop))
    assert (sample.text, sample.ended, sample.never_written) == (text, "stop", ())
    assert "".join(model.stream("the ", length=34, temperature=0, stop=stop)) == text


def test_a_stop_text_that_the_model_cannot_write_is_named_and_stops_nowhere() -> None:
    model = SpellingModel("one line alone", tokenizer_of("one line alone "))
    settings = SamplingSettings(length=14, temperature=0, stop=("\n", "漢", "\x07", "alone"))
    sample = model.sample("one", settings)
    assert sample.text == "one line "
    assert sample.never_written == ("\n", "漢", "\x07")


def test_what_a_model_is_asked_about_is_read_in_the_same_form() -> None:
    model = SpellingModel("le café est fermé")
    assert model.next_token("le cafe\u0301") == model.next_token("le café")
    assert model.next_token("le “cafe\u0301”") == model.next_token('le "café"')
    decomposed = "le cafe\u0301 est"
    assert (
        model.log_probabilities(decomposed).tolist()
        == model.log_probabilities(normal_form(decomposed)).tolist()
    )


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "hostile",
    ["e" + "\u0301\u0323" * 2_000, "🇩" * 4_000, "’" * 4_000, "“a’" * 1_300, "Ａ漢" * 2_000, "… " * 2_000],
)
def test_a_hostile_seed_is_read_at_once(level: str, hostile: str) -> None:
    began = time.process_time()
    with contextlib.suppress(SettingsError):
        read_seed(hostile, KNOWN[level, "plain"], "drop")
    assert time.process_time() - began < 0.5
