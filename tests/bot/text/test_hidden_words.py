"""A server's hidden words."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text import safe_text
from bot.text.hidden_words import HIDDEN, current, hide, hide_in

CASES = [
    ("Damn this damned DAMN.", "damn", "▒▒▒ this damned ▒▒▒."),
    ("ＤＡＭＮ d\u200bamn da\u0301mn", "damn", "▒▒▒ ▒▒▒ ▒▒▒"),
    ("Straße, STRASSE", "strasse", "▒▒▒, ▒▒▒"),
    ("a bad   word, a bad\nword, badword", "Bad Word", "a ▒▒▒, a ▒▒▒, badword"),
    ("この悪い人", "悪い", "この▒▒▒人"),
    ("C++ or c+ or c++x", "c++", "▒▒▒ or c+ or ▒▒▒x"),
    ("it's a $#!t thing", "$#!t", "it's a ▒▒▒ thing"),
    ("foo foobar foo-bar", "foo\nfoo-bar", "▒▒▒ foobar ▒▒▒"),
    ("nothing", "\n  \n", "nothing"),
    ("é e\u0301 e", "é", "▒▒▒ ▒▒▒ e"),
    ("word_ word words", "word", "▒▒▒_ ▒▒▒ words"),
]


DISGUISED = [
    *(
        "_damn_",
        "__damn__",
        "DAMN",
        "ｄａｍｎ",
        "𝐝𝐚𝐦𝐧",
        "Ⓓⓐⓜⓝ",
        "🅳🅰🅼🅽",
        "dámn",
        "da\u0301mn",
        "d̶a̶m̶n̶",
        "d\u0488amn",
    ),
    *(
        "da\u200cmn",
        "da\u200dmn",
        "da\u034fmn",
        "da\ufe0fmn",
        "da\u3164mn",
        "da\u00admn",
        "da\u2060mn",
        "da\u2800mn",
    ),
    *(
        "da\u115fmn",
        "da\u202emn",
        "da\U000e0061mn",
        "d_amn",
        "d_a_m_n",
        "d.a.m.n",
        "da*mn",
        "**da**mn",
        "d~~am~~n",
    ),
    *("da||mn", "da`mn", "da\\mn", "d4mn", "d@mn", "D4MN!", "dаmn", "dαmn", "d a m n", "d-a-m-n"),
    *("D, A, M, N", "d\na\nm\nn", "(damn)", "«damn»", "damn’s", "'damn'", "—damn—", "1.damn"),
]
INNOCENT = {
    "damn": [
        "damned",
        "goddamn",
        "da mn",
        "damnation",
        "and a man",
        "D4",
        "dam.",
        "mad n",
        "Madman",
        "d a m",
    ],
    "hell": ["he'll", "he’ll", "shell", "hello", "7734", "he - ll", "HE LL", "3311"],
    "ass": ["class", "as s", "A 5 5", "455", "assets", "@$$"],
    "ali": ["Al! Come.", "alias"],
    "ano": ["año", "anos", "an o"],
    "leet": ["1337", "le et", "fleet"],
    "ist": ["1st", "21st", "list"],
    "cop": ["сор", "cope"],
    "कल": ["काल"],
    "か": ["が"],
    "é": ["e", "è"],
    "us": ["🇺🇸", "bus"],
}


@pytest.mark.parametrize("text", DISGUISED)
def test_a_word_is_hidden_however_it_is_dressed(text: str):
    shown = hide(f"O {text} it", "damn\nother")
    assert HIDDEN in shown
    assert "amn" not in shown
    assert shown.startswith("O ")
    assert shown.endswith(" it")


@pytest.mark.parametrize(
    ("word", "text"), [(word, text) for word, texts in INNOCENT.items() for text in texts]
)
def test_innocent_text_stays(word: str, text: str):
    assert HIDDEN not in hide(f"So {text} it is", word)


def test_an_entry_with_accents_is_that_word_alone():
    words = "crème\nпирог\n1st"
    assert hide("CRE\u0300ME c̶r̶è̶m̶e̶ creme crémé, пиро́г, the 1st", words) == "▒▒▒ ▒▒▒ creme crémé, ▒▒▒, the ▒▒▒"


def test_a_word_across_a_seed_and_its_text_is_hidden_where_it_begins():
    assert hide_in(["For t", "he king"], "the\nlord") == ["For ▒▒▒", " king"]
    assert hide_in(["For da", "\u0301mn, da", "", "mn"], "damn") == ["For ▒▒▒", ", ▒▒▒", "", ""]
    assert hide_in(["the", "re the"], "the") == ["the", "re ▒▒▒"]


def test_what_is_made_ready_to_be_shown_is_without_the_words_of_the_server_at_hand():
    token = current.set("damn")
    try:
        assert safe_text.safe("O _damn_ it") == r"O \_▒▒▒\_ it"
        assert safe_text.plain("damn.txt") == "▒▒▒.txt"
        assert safe_text.file_bytes("damn") == "▒▒▒".encode()
        # Neither is half a hidden word left, nor does a cut make one.
        assert safe_text.safe_within("O damn", 4) == "O ▒…"
        assert safe_text.safe_within("O damnation", 7) == "O ▒▒▒…"
    finally:
        current.reset(token)


@pytest.mark.parametrize(
    "hostile",
    [
        *("d" * 4_000, "da" * 2_000, "d_" * 2_000, "d a " * 1_000, "e" + "\u0301" * 4_000, "🇩" * 4_000),
        *("d4m" * 1_300, "____" * 1_000, "\u200d" * 4_000, "d a m " * 600, "4 4 " * 1_000),
    ],
)
def test_hostile_text_is_looked_through_at_once(hostile: str):
    words = "\n".join(["damn", "dad", *(f"word{number}" for number in range(198))])
    hide("", words)
    begun = time.process_time()
    hide(hostile, words)
    assert time.process_time() - begun < 0.25


@pytest.mark.parametrize(("text", "words", "shown"), CASES)
def test_whole_words_are_hidden(text: str, words: str, shown: str):
    assert hide(text, words) == shown


@given(st.text(), st.lists(st.text(max_size=8)).map("\n".join))
@pytest.mark.slow
def test_what_is_left_is_as_it_was(text: str, words: str):
    parts = hide(text, words).split(HIDDEN)
    cleaned = safe_text.clean(text)
    position = 0
    for part in parts:
        position = cleaned.find(part, position)
        assert position >= 0
        position += len(part)
