"""Where a copied text differs: every place is told, and the time is bounded whatever the texts are."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.receipts.changes import Change, changes

TEXT = "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate."


def patched(written: str, told: list[Change]) -> str:
    for change in reversed(told):
        assert written[change.at : change.at + len(change.written)] == change.written
        written = written[: change.at] + change.found + written[change.at + len(change.written) :]
    return written


def test_the_same_text_has_no_changes() -> None:
    assert changes(TEXT, TEXT) == []
    assert changes("", "") == []


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (TEXT.replace("lovely", "homely"), [Change(54, "lov", "hom")]),
        (TEXT.replace("compare thee to ", ""), [Change(8, "compare thee to ", "")]),
        (TEXT + " Really.", [Change(len(TEXT), "", " Really.")]),
        (TEXT[:-1], [Change(len(TEXT) - 1, ".", "")]),
        (TEXT[:30], [Change(30, TEXT[30:], "")]),
        (
            TEXT.replace("Shall", "Will").replace("temperate", "moderate"),
            [Change(0, "Sha", "Wi"), Change(70, "temp", "mod")],
        ),
    ],
)
def test_each_change_is_told_where_it_is(found: str, told: list[Change]) -> None:
    assert changes(TEXT, found) == told


@pytest.mark.parametrize(
    "found",
    ["", "the", "So", "e.",
     "When I do count the clock that tells the time, and see the brave day sunk in hideous night.",
     TEXT[::-1], "\u202e" * 80, "a" * 6_000],
)  # fmt: skip
def test_another_text_has_no_changes_worth_telling(found: str) -> None:
    assert changes(TEXT, found) is None


@given(st.text("ab \n", max_size=60), st.text("ab \n", max_size=60))
def test_the_changes_lead_from_one_text_to_the_other(written: str, found: str) -> None:
    told = changes(written, found)
    if told is not None:
        assert patched(written, told) == found


@given(st.integers(0, len(TEXT) - 1), st.characters())
def test_one_changed_character_is_always_told(at: int, letter: str) -> None:
    found = TEXT[:at] + letter + TEXT[at + 1 :]
    told = changes(TEXT, found)
    assert told is not None
    if letter == TEXT[at]:
        assert told == []
    else:
        assert any(change.at <= at < change.at + len(change.written) for change in told)
        assert patched(TEXT, told) == found


HOSTILE = [
    pytest.param("ab " * 2_000, "ba " * 2_000, id="words exchanged everywhere"),
    pytest.param("a " * 3_000, "a" * 6_000, id="one word and many"),
    pytest.param("x y " * 1_500, "y x z " * 1_000, id="three words in another order"),
    pytest.param("".join(map(chr, range(0x4E00, 0x4E00 + 6_000))), "一" * 6_000, id="without spaces"),
    pytest.param("a." * 3_000, "a," * 3_000, id="every second character"),
]


@pytest.mark.parametrize(("written", "found"), HOSTILE)
def test_hostile_texts_take_bounded_time(written: str, found: str) -> None:
    begun = time.process_time()
    told = changes(written, found)
    assert time.process_time() - begun < 3
    if told is not None:
        assert patched(written, told) == found
