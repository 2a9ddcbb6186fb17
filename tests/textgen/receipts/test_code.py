"""A receipt as a code: what goes in comes out, whatever copying did to it, and nothing else is read."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.errors import SettingsError
from textgen.receipts.code import LONGEST_CODE, LONGEST_COPY, PREFIX, Receipt, find_code
from textgen.receipts.copied_text import parted

PLAIN = Receipt("0123456789", random_seed=4_294_967_295, length=500, temperature=0.7)
SEEDED = Receipt(
    "ffffffffff", random_seed=7, length=1, temperature=0.123456789, seed_characters=500, seed_check=2**32 - 1
)

numbers = st.floats(0, 10, allow_nan=False) | st.integers(0, 10_000).map(lambda number: number / 1000)
wholes = st.integers(0, 2**63 - 1)
receipts = st.builds(
    Receipt,
    model=st.text("0123456789abcdef", min_size=10, max_size=10),
    random_seed=wholes,
    length=wholes,
    temperature=numbers,
    top_k=st.none() | wholes,
    no_repeat_ngram=st.none() | wholes,
    repetition_window=st.none() | wholes,
    top_p=st.none() | numbers,
    min_p=st.none() | numbers,
    typical_p=st.none() | numbers,
    repetition_penalty=st.none() | numbers,
    stop=st.lists(st.text(max_size=8), max_size=4).map(tuple),
    novel=st.none() | st.booleans(),
    replaced=st.booleans(),
    longest_copy=st.none() | st.integers(0, LONGEST_COPY),
)
shares = st.floats(0, 1, exclude_min=True, exclude_max=True) | st.integers(1, 999).map(lambda n: n / 1000)
others = st.tuples(st.text("0123456789abcdef", min_size=10, max_size=10), shares)


@given(receipts, st.none() | st.tuples(wholes, st.integers(0, 2**32 - 1)), st.none() | others)
def test_every_receipt_comes_back_from_its_code(
    receipt: Receipt, seed: tuple[int, int] | None, other: tuple[str, float] | None
) -> None:
    if seed:
        receipt = replace(receipt, seed_characters=seed[0], seed_check=seed[1])
    if other:
        receipt = replace(receipt, other=other[0], mix=other[1])
    code = receipt.to_code()
    assert code.isascii()
    assert code.isalnum()
    assert Receipt.from_code(code) == receipt


def test_the_usual_code_is_short() -> None:
    assert len(PLAIN.to_code()) <= 32
    ordinary = Receipt("0123456789", 123_456_789, 300, 0.7, seed_characters=20, seed_check=2**31)
    assert len(ordinary.to_code()) <= 40
    assert len(replace(ordinary, other="9876543210", mix=0.4).to_code()) <= 52


@pytest.mark.parametrize(
    ("other", "mix"), [("", 0.5), ("9876543210", 0), ("9876543210", 1), ("98765", 0.5), ("x" * 10, 0.5)]
)
def test_a_blend_has_two_models_and_a_share_of_each(other: str, mix: float) -> None:
    with pytest.raises(SettingsError):
        replace(PLAIN, other=other, mix=mix)


def test_case_and_look_alikes_do_not_matter() -> None:
    code = PLAIN.to_code()
    assert Receipt.from_code(f" {code.lower()} ") == PLAIN
    assert Receipt.from_code(PREFIX + code[len(PREFIX) :].replace("0", "o").replace("1", "l")) == PLAIN


def test_every_wrong_letter_and_every_exchange_of_neighbours_is_noticed() -> None:
    code = SEEDED.to_code()
    for at in range(len(PREFIX), len(code)):
        for letter in "0123456789ABCDEFGHJKMNPQRSTVWXYZ":
            if letter != code[at]:
                with pytest.raises(SettingsError, match="damaged"):
                    Receipt.from_code(code[:at] + letter + code[at + 1 :])
        exchanged = code[:at] + code[at : at + 2][::-1] + code[at + 2 :]
        if exchanged != code:
            with pytest.raises(SettingsError, match="damaged"):
                Receipt.from_code(exchanged)


BAD_CODES = [
    pytest.param("", id="nothing"),
    pytest.param("TG1", id="the prefix alone"),
    pytest.param("TG2" + PLAIN.to_code()[3:], id="a later version"),
    pytest.param(PLAIN.to_code()[:-1], id="a letter too few"),
    pytest.param(PLAIN.to_code() + "0", id="a letter too many"),
    pytest.param("TG1" + "Z" * LONGEST_CODE, id="the longest one"),
    pytest.param("TG1" + "U" * 30, id="a letter that no code has"),
    pytest.param("TG1" + "0" * 100_000, id="far too long"),
    pytest.param("TG1ÄÖÜ" + "0" * 30, id="other letters"),
    pytest.param(PLAIN.to_code()[:-1] + "\0", id="a control character"),
]


@pytest.mark.parametrize("code", BAD_CODES)
def test_a_bad_code_is_one_line(code: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Receipt.from_code(code)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 600


def test_random_letters_are_never_read() -> None:
    draw = random.Random(3)
    for _ in range(2_000):
        code = PREFIX + "".join(draw.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=draw.randrange(16, 80)))
        with pytest.raises(SettingsError):
            Receipt.from_code(code)


@pytest.mark.parametrize(
    "values",
    [{"temperature": 11.0}, {"temperature": float("nan")}, {"random_seed": -1}, {"length": 2**63},
     {"model": "xyz"}, {"seed_check": 2**32}, {"top_p": -0.1}, {"stop": ("x",) * 17}],
)  # fmt: skip
def test_values_outside_their_bounds_are_refused(values: dict) -> None:
    fields = {"model": "0123456789", "random_seed": 1, "length": 1, "temperature": 1.0}
    with pytest.raises(SettingsError):
        Receipt(**fields | values)


def test_stop_sequences_that_no_code_can_hold_are_refused() -> None:
    long = Receipt("0123456789", 1, 1, 1.0, stop=("x" * 200,) * 16)
    with pytest.raises(SettingsError, match="fewer or shorter"):
        long.to_code()


def test_the_code_is_found_in_a_footer_and_parted_from_the_text() -> None:
    code = PLAIN.to_code()
    for footer in (code, f"Bard · random seed 7 · {code}", f"{code} · today at 12:00", f"({code})"):
        assert parted(f"To be,\nor not\n{footer}") == ("To be,\nor not", PLAIN)
    assert parted(f"To be {code}") == ("To be", PLAIN)
    assert parted("To be", code) == ("To be", PLAIN)
    other = SEEDED.to_code()
    assert parted(f"{code}\n{other}")[1] == SEEDED
    assert find_code("no code here, TG1 alone, xTG1" + "0" * 30) is None
    with pytest.raises(SettingsError, match="no code in the text"):
        parted("To be")
