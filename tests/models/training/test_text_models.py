"""Models have names that people type: any case finds them, and a name is one model."""

import unicodedata
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from models import Database, InvalidNameError, TextModel, text_models
from tests.support.rows import publish

GUILD = 1


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Shakespeare", "sHAKESPEARE"),
        ("Straße", "STRASSE"),
        ("Ёлка", "ёлка"),
        ("café", "CAFE\u0301"),
        ("Two  words ", " two words"),
        ("ＷＩＤＥ", "wide"),
        ("100%_\\", "100%_\\"),
    ],
)
def test_a_name_is_found_and_replaced_in_any_writing(database: Database, name: str, typed: str) -> None:
    with database.write() as session:
        first, nothing = publish(session, GUILD, name, "bundle-1")
        second, replaced = publish(session, GUILD, typed, "bundle-2")
        assert (nothing, replaced) == (None, "bundle-1")
        assert first.id == second.id
    with database.read() as session:
        found = text_models.by_name(session, GUILD, name)
        assert found is not None
        assert (found.id, found.bundle_path) == (first.id, "bundle-2")
        assert len(text_models.listing(session, GUILD)) == 1
        assert text_models.names_starting(session, GUILD, typed) == [found.name]


def test_the_database_itself_refuses_a_second_model_of_a_name(database: Database) -> None:
    with database.write() as session:
        model, _ = publish(session, GUILD, "Bard", "a")
        columns = [column for column in TextModel.__table__.columns if column.name != "id"]
    copy = sa.insert(TextModel).values({c.name: getattr(model, c.name) for c in columns} | {"name": "BARD"})
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(copy)


def test_publishing_one_bundle_twice_replaces_nothing(database: Database) -> None:
    with database.write() as session:
        publish(session, GUILD, "Bard", "a")
        assert publish(session, GUILD, "Bard", "a")[1] is None


def test_publishers_of_one_name_at_once_leave_one_model(database: Database) -> None:
    together = Barrier(6)

    def run(number: int) -> str | None:
        together.wait()
        with database.write() as session:
            return publish(session, GUILD, "Bard", f"bundle-{number}")[1]

    with ThreadPoolExecutor(6) as threads:
        replaced = list(threads.map(run, range(6)))
    with database.read() as session:
        (model,) = text_models.listing(session, GUILD)
    # Every bundle was handed back for deletion once, but for the one that stands.
    assert sorted([*filter(None, replaced), model.bundle_path]) == [f"bundle-{number}" for number in range(6)]


def test_a_prefix_is_taken_literally_and_the_list_is_short(database: Database) -> None:
    with database.write() as session:
        for number in range(30):
            publish(session, GUILD, f"n{number:02}", f"b{number}")
        publish(session, GUILD, "100%", "b")
        publish(session, GUILD, "100 x", "c")
        publish(session, GUILD, "a_b", "d")
        publish(session, GUILD, "axb", "e")
    with database.read() as session:
        assert text_models.names_starting(session, GUILD, "N") == [f"n{number:02}" for number in range(25)]
        assert text_models.names_starting(session, GUILD, "n", limit=2) == ["n00", "n01"]
        assert text_models.names_starting(session, GUILD, "100%") == ["100%"]
        assert text_models.names_starting(session, GUILD, "a_") == ["a_b"]
        assert text_models.names_starting(session, GUILD, "zzz") == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "this one is empty"),
        (" \n\t ", "this one is empty"),
        ("x" * 101, "at most 100 characters; this one has 101"),
        ("a\x00b", r"U\+0000"),
        ("a\u202eb", r"U\+202E"),
        ("a\u200bb", r"U\+200B"),
        ("a\ud800b", r"U\+D800"),
        ("a\u200db", r"U\+200D"),
        ("a\u200cb", r"U\+200C"),
        ("نامه\u200c", r"U\+200C"),
        ("👨\u200d", r"U\+200D"),
        ("\U0001f3f4\U000e0067", r"U\+E0067"),
        ("\u3164", r"U\+3164"),
        ("B\u115fard", r"U\+115F"),
        ("Bard\u2800", r"U\+2800"),
        ("Ba\u00adrd", r"U\+00AD"),
        ("Ba\u034frd", r"U\+034F"),
    ],
)
def test_a_name_that_no_model_can_have_is_refused_with_the_reason(name: str, said: str) -> None:
    with pytest.raises(InvalidNameError, match=said):
        text_models.clean_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "👨‍👩‍👧 tales",
        "🏳️‍🌈 poems",
        "👩🏽‍🚀",
        "❤️‍🔥",
        "🏴󠁧󠁢󠁳󠁣󠁴󠁿 Burns",
        "1️⃣ first",
        "نامه‌ها",
        "می‌خواهم",
        "क्‍ष",
        "ശ്രീ ന്‍",
        "葛\U000e0100",
    ],
)
def test_a_name_keeps_the_invisible_characters_that_shape_it(name: str) -> None:
    assert text_models.clean_name(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("name", "looks_like"),
    [
        ("Bard\ufe0f", "Bard"),
        ("❤️ poems", "❤ poems"),
        ("نامه‌ها", "نامهها"),
        ("👨‍👩‍👧", "👨👩👧"),
        ("Ba\u200brd", "bard"),
        ("\ufeffＢＡＲＤ\u2060", "bard"),
        ("the \u200b bard", "The Bard"),
        ("葛\U000e0100", "葛"),
    ],
)
def test_names_that_look_alike_are_one_name(database: Database, name: str, looks_like: str) -> None:
    assert text_models.key_of(name) == text_models.key_of(looks_like)
    with database.write() as session:
        publish(session, GUILD, looks_like, "a")
    with database.read() as session:
        found = text_models.by_name(session, GUILD, name)
    assert found is not None
    assert found.name == looks_like


def test_a_selector_that_varies_nothing_is_not_stored(database: Database) -> None:
    assert text_models.clean_name("Bard\ufe0f of\ufe01 Avon") == "Bard of Avon"


def test_an_id_is_never_given_again(database: Database) -> None:
    with database.write() as session:
        old, _ = publish(session, GUILD, "Bard", "a")
        session.delete(old)
        session.flush()
        new, _ = publish(session, GUILD, "Bard", "b")
    assert new.id > old.id


def test_a_model_is_renamed_unless_the_name_is_taken_and_stays_as_old(database: Database) -> None:
    with database.write() as session:
        (first, _), (second, _) = (
            publish(session, GUILD, "First", "1"),
            publish(session, GUILD, "Second", "2"),
        )
        before = first.updated_at
    with database.write() as session:
        with pytest.raises(InvalidNameError, match="already a model named “Second”"):
            text_models.rename(session, GUILD, first.id, "SECOND")
        renamed = text_models.rename(session, GUILD, first.id, " FIRST  of all ")
        assert renamed is not None
        assert (renamed.name, renamed.updated_at) == ("FIRST of all", before)
        assert text_models.rename(session, GUILD, second.id, "second") is not None
    with database.read() as session:
        assert text_models.by_name(session, GUILD, "first OF all") is not None
        assert text_models.by_name(session, GUILD, "First") is None


def test_what_was_written_is_counted_and_the_newest_stays_the_newest(database: Database) -> None:
    with database.write() as session:
        (old, _), (new, _) = publish(session, GUILD, "Old", "1"), publish(session, GUILD, "New", "2")
        for texts in (3, 4):
            text_models.count_generations(session, GUILD, old.id, texts)
        text_models.count_generations(session, GUILD, 999_999, 5)
    with database.read() as session:
        found, corpus = text_models.with_corpus(session, GUILD, None)
        assert found is not None
        assert found.id == new.id
        assert corpus is None
        again, _ = text_models.with_corpus(session, GUILD, "OLD")
        assert again is not None
        assert again.generations == 7
