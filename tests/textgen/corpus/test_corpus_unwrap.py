"""Hard wraps are taken out of prose, and of nothing else."""

from __future__ import annotations

import re
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.texts import hard_inputs
from textgen.corpus.unwrapping import unwrap

PROSE = (
    "Emma Woodhouse, handsome, clever, and rich, with a comfortable home and happy disposition, seemed "
    "to unite some of the best blessings of existence; and had lived nearly twenty-one years in the "
    "world with very little to distress or vex her.",
    "She was the youngest of the two daughters of a most affectionate, indulgent father; and had, in "
    "consequence of her sister's marriage, been mistress of his house from a very early period.",
    "“Do not speak of it,” she said, and looked out of the window for a long time, as if somebody were "
    "expected who had promised to come and had forgotten the promise, the hour and the house.",
)

KEPT = {
    "verse": (
        "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n"
        "Rough winds do shake the darling buds of May,\nAnd summer's lease hath all too short a date;"
    ),
    "long verse": (
        "And the raven, never flitting, still is sitting, still is sitting\n"
        "On the pallid bust of Pallas just above my chamber door;\n"
        "And his eyes have all the seeming of a demon's that is dreaming,\n"
        "And the lamp-light o'er him streaming throws his shadow on the floor;"
    ),
    "indented verse": "    Tyger Tyger, burning bright,\n    In the forests of the night;",
    "a short dialogue": "“Yes,” she said.\n“No,” said he.\n“Then go.”",
    "a numbered list": "1. Take two eggs.\n2. Beat them.\n3. Wait.",
    "a bulleted list": "- bread\n- butter\n* jam\n• tea",
    "code": "    def area(width, height):\n        return width * height  # in square metres",
    "fenced code": "```\nthis is code, not to be touched even if it is as long as prose and\nbroken so\n```",
    "a table": "name          age\nAnna          12\nBob           14\nCharlotte     9",
    "a Markdown table": "| name | age |\n|------|-----|\n| Anna | 12 |",
    "a heading with a rule": "The First Chapter\n=================",
    "Markdown headings": "# A heading\n## Another one",
    "an address": "Mr. Frank Churchill\n12 High Street\nRandalls near Highbury",
    "a quotation": "> as you wrote in the letter of the third, there is nothing that one can\n> do about it",
    "Markdown's own break": "A line that is as long as others in this text and ends in two spaces  \nhere",
    "a sentence a line": (
        "The first sentence of this text is as long as a line of it might well be.\n"
        "The second sentence of this text is as long as a line of it might well be."
    ),
    "a dialogue with dashes": (
        "— Yes, she said, and went to the window of the house\n— No, said he, and did not"
    ),
    "titles": "\n".join(
        f"The Book of the {word} and of all that is known about them"
        for word in ("Sea", "Moon", "Garden", "Old King")
    ),
    "lines of data": "\n".join(
        f"{n},some words that fill the line to its very end {n},yes" for n in range(4)
    ),
    "a form": "\n".join(
        f"{name}: what is said of it fills the line to its very end"
        for name in ("name", "age", "place", "trade", "family")
    ),
    "times": "\n".join(
        f"[10:3{n}] and so it went on until there was nothing to say any more" for n in range(5)
    ),
    "a sentence a line but one": "\n".join(
        f"the sentence number {n} of this text is as long as a line of it may be" + "." * (n != 3)
        for n in range(9)
    ),
    "capitals": "CHAPTER I\n\nTHE ARRIVAL",
}


def wrapped(*paragraphs: str, width: int = 72) -> str:
    return "\n\n".join(textwrap.fill(paragraph, width) for paragraph in paragraphs) + "\n"


@pytest.mark.parametrize("width", [50, 60, 72, 80, 100])
def test_wrapped_paragraphs_come_back_as_they_were(width: int) -> None:
    assert unwrap(wrapped(*PROSE, width=width)) == "\n\n".join(PROSE) + "\n"


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT.keys())
def test_intended_line_breaks_are_kept(kept: str) -> None:
    before, after = wrapped(PROSE[0], PROSE[1]), wrapped(PROSE[2])
    expected = f"{PROSE[0]}\n\n{PROSE[1]}\n\n{kept}\n\n{PROSE[2]}\n"
    assert unwrap(f"{before}\n{kept}\n\n{after}") == expected
    assert unwrap(kept) == kept


def test_blank_lines_and_the_first_lines_indentation_are_kept() -> None:
    first = textwrap.fill(PROSE[0], 72, initial_indent="   ")
    text = f"\n\nTitle\n\n\n\n{first}\n\n\n{wrapped(PROSE[1])}\n"
    assert unwrap(text) == f"\n\nTitle\n\n\n\n   {PROSE[0]}\n\n\n{PROSE[1]}\n\n"


def test_the_items_of_a_list_are_unwrapped_one_by_one() -> None:
    item = textwrap.fill("- " + PROSE[0], 72, subsequent_indent="  ")
    assert unwrap(f"{wrapped(PROSE[1])}\n{item}\n- short\n") == f"{PROSE[1]}\n\n- {PROSE[0]}\n- short\n"


@pytest.mark.parametrize(
    ("before", "after", "joined"),
    [
        ("of a most affectionate, indul-", "gent father; and had", "affectionate, indulgent father;"),
        ("which had made him quite unap-", "proachable to everybody", "quite unapproachable to"),
        ("that could be called a well-", "known and well-known thing", "a well-known and well-known thing"),
        ("the whole of the period 1914-", "1918, and after it", "period 1914-1918, and"),
        ("who was of an old and Anglo-", "Saxon family there", "Anglo-Saxon family"),
        ("and then she saw it clearly--", "for it had been there", "clearly--for it"),
        ("and then she saw it clearly—", "for it had been there", "clearly—for it"),
        ("of a most affectionate, indul\u00ad", "gent father; and had", "indulgent father;"),
        ("a thing that they indulgent-", "ly forgave and indulgently", "they indulgently forgave"),
    ],
)
def test_a_hyphen_is_removed_if_it_only_breaks_the_word(before: str, after: str, joined: str) -> None:
    line = f"It was a matter of course {before}"
    text = f"{wrapped(*PROSE, width=len(line))}\n{line}\n{after}\n"
    assert joined in unwrap(text)


KOREAN = (
    "어느 날 아침 그는 길을 걷다가 오래된 친구를 만났고 두 사람은 강가에 앉아 "
    "지난 이야기를 오래도록 나누었다. 그리고 해가 질 무렵에야 집으로 돌아갔다. "
    "바람은 차가웠지만 마음은 따뜻했다. 다음 날 그는 다시 강가로 나갔으나 "
    "친구는 보이지 않았다. 大韓民國 서울 中央 驛에서 그는 오래 기다렸다."
)


@pytest.mark.parametrize("width", [26, 30, 36, 42])
def test_korean_keeps_its_spaces(width: int) -> None:
    paragraphs = [KOREAN, KOREAN.replace("강가", "바다")]
    assert unwrap(wrapped(*paragraphs, width=width)) == "\n\n".join(paragraphs) + "\n"


def in_lines(text: str, size: int) -> str:
    return "\n".join(text[at : at + size] for at in range(0, len(text), size))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (
            "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所で"
            * 4,
            30,
        ),
        ("天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往秋收冬藏，閏餘成歲律呂調陽雲騰致雨露結為霜。" * 4, 36),
        ("ฉันรักภาษาไทยและน้ำใจที่ยิ่งใหญ่ของผู้คนในหมู่บ้านริมแม่น้ำ" * 6, 60),
    ],
)
def test_scripts_without_spaces_get_none(text: str, size: int) -> None:
    assert unwrap(in_lines(text, size) + "\n") == text + "\n"


def test_an_emoji_is_a_word_of_its_own() -> None:
    line = "and the whole of the town was on its feet and had come to the river 😀"
    text = f"{wrapped(*PROSE, width=70)}\n{line}\n😀 and then it went away again.\n"
    assert "river 😀 😀 and" in unwrap(text)


def test_chinese_is_joined_without_a_space() -> None:
    line = "天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往秋收冬藏閏餘成歲律呂調陽雲騰致雨露結為霜"
    lines = [line[shift:] + line[:shift] for shift in range(3)]
    assert unwrap("\n".join([*lines, line[:9]]) + "\n") == "".join(lines) + line[:9] + "\n"


@pytest.mark.parametrize("text", [*hard_inputs.SCRIPTS.values(), "", "\n", "one line", hard_inputs.PROSE * 9])
def test_texts_that_are_not_wrapped_come_back_unchanged(text: str) -> None:
    assert unwrap(text) == text


@given(st.text("abAB -\n.>#*1|`\t\u00ad—", max_size=400))
def test_only_white_space_and_hyphens_are_removed(text: str) -> None:
    text = wrapped(*PROSE) + text
    once = unwrap(text)
    assert re.sub(r"[\s\u00ad-]", "", once) == re.sub(r"[\s\u00ad-]", "", text)
    assert unwrap(once) == once
