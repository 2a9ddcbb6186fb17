"""A server's hidden words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.presentation import safe_text
from bot.presentation.hidden_words import HIDDEN, hide

CASES = [
    ("Damn this damned DAMN.", "damn", "▒▒▒ this damned ▒▒▒."),
    ("ＤＡＭＮ d\u200bamn da\u0301mn", "damn", "▒▒▒ ▒▒▒ da\u0301mn"),
    ("Straße, STRASSE", "strasse", "▒▒▒, ▒▒▒"),
    ("a bad   word, a bad\nword, badword", "Bad Word", "a ▒▒▒, a ▒▒▒, badword"),
    ("この悪い人", "悪い", "この▒▒▒人"),
    ("C++ or c+ or c++x", "c++", "▒▒▒ or c+ or ▒▒▒x"),
    ("it's a $#!t thing", "$#!t", "it's a ▒▒▒ thing"),
    ("foo foobar foo-bar", "foo\nfoo-bar", "▒▒▒ foobar ▒▒▒"),
    ("nothing", "\n  \n", "nothing"),
    ("é e\u0301 e", "é", "▒▒▒ ▒▒▒ e"),
    ("word_ word", "word", "word_ ▒▒▒"),
]


@pytest.mark.parametrize(("text", "words", "shown"), CASES)
def test_whole_words_are_hidden(text: str, words: str, shown: str):
    assert hide(text, words) == shown


@given(st.text(), st.lists(st.text(max_size=8)).map("\n".join))
def test_what_is_left_is_as_it_was(text: str, words: str):
    parts = hide(text, words).split(HIDDEN)
    cleaned = safe_text.clean(text)
    position = 0
    for part in parts:
        position = cleaned.find(part, position)
        assert position >= 0
        position += len(part)
