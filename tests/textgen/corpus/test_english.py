"""Whether a text is English is told by its commonest words."""

import pytest

from tests.support.texts.whole import measure
from textgen.corpus import check_stats
from textgen.corpus.english import english_share

FRENCH = "Le chat regarde la lune, et personne ne sait pourquoi elle est si belle ce soir. " * 10
CODE = "for index in range(len(values)):\n    values[index] = compute(values[index], default=None)\n" * 10


def test_plays_are_english(corpus_text: str) -> None:
    assert check_stats(measure(corpus_text)).is_english
    assert english_share(corpus_text) == pytest.approx(0.57, abs=0.04)


@pytest.mark.parametrize("text", [FRENCH, CODE, "漢字" * 500, "1234 5678\n" * 90])
def test_other_texts_are_not(text: str) -> None:
    assert not check_stats(measure(text)).is_english


def test_apostrophes_of_phones_are_those_of_keyboards() -> None:
    assert english_share("That’s it") == english_share("that's IT") == 1.0
    assert english_share("") == english_share("12 %") == 0.0
