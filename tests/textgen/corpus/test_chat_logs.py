"""What is taken for a chat log: exports of many programs are, and what only looks like one is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.growth import slow_families
from tests.support.texts.chats import EXPORTS, lines
from tests.support.texts.lookalikes import LOOKALIKES
from textgen import corpus
from textgen.corpus.chats.detection import suspect_chat_log


def suspected(text: str) -> str | None:
    return suspect_chat_log(corpus.clean(text, name="x"))


def test_exports_are_recognised_and_lookalikes_are_not() -> None:
    missed = [name for name, made in EXPORTS.items() if suspected(made()) is None]
    wrong = {name: kind for name, made in LOOKALIKES.items() if (kind := suspected(made()))}
    found = len(EXPORTS) - len(missed)
    print(
        f"{len(EXPORTS)} exports, {len(LOOKALIKES)} lookalikes: recall {found / len(EXPORTS):.1%}, "
        f"precision {found / (found + len(wrong)):.1%}"
    )
    assert not wrong
    assert found >= 0.95 * len(EXPORTS), missed


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Discord, exporter, text", "a Discord export"),
        ("Discord, copied", "a copied Discord channel"),
        ("WhatsApp, Android, Arabic", "a WhatsApp export"),
        ("IRC, irssi", "an IRC log"),
        ("Telegram, copied", "a copied Telegram chat"),
        ("Telegram, JSON", "a chat export in JSON"),
        ("Signal, text", "a Signal export"),
        ("Zoom", "the chat of a video meeting"),
        ("iMessage, table", "a chat export as a table"),
    ],
)
def test_the_kind_of_chat_log_is_named(name: str, kind: str) -> None:
    assert suspected(EXPORTS[name]()) == kind


def test_a_chat_behind_a_preface_is_recognised() -> None:
    preface = "This is what we wrote to each other that winter, as it was.\n" * 20
    assert suspected(preface + EXPORTS["WhatsApp, iOS, German"]())


def test_a_few_messages_in_a_long_text_are_not_a_chat_log() -> None:
    prose = "It was a bright cold day, and the clocks were striking.\n" * 1_000
    assert suspected(prose + EXPORTS["IRC, mIRC"]()) is None


@pytest.mark.parametrize(
    "names",
    [
        ("Me", "Anna"),
        ("user0", "user1", "user2"),
        ("+49 170 1234567", "+49 171 7654321"),
        ("Mum ❤️", "Dr. Berg"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(
    "form", ["{at:%d.%m.%y, %H:%M} - {who}: {text}\n", "[{at:%d/%m/%Y %H:%M:%S}] {who}: {text}\n"]
)
def test_names_of_people_in_many_languages_are_recognised(names: tuple[str, ...], form: str) -> None:
    assert suspected(lines(form, names)())


def test_time_grows_with_the_length() -> None:
    function: Callable[[str], object] = suspect_chat_log
    assert not slow_families(function, most=200_000)
