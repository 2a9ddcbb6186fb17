"""Lines that are stored in English are shown in the reader's language, with their values."""

from pathlib import Path

import pytest

from bot import i18n
from bot.i18n.retelling import retold
from tests.support.bot.schedules import known, save
from tests.support.bot.world import World, private_line

LINES = {
    "Its channel was deleted.": "Sein Kanal wurde gelöscht.",
    "I lack View Channel, Embed Links in its channel.": (
        "Mir fehlt in seinem Kanal Kanal anzeigen, Links einbetten."
    ),
    "This server's texts go to <#1456074443980800018> only.": (
        "Texte dieses Servers gehen nur in <#1456074443980800018>."
    ),
    "the corpus has 5 characters; at least 1,000 are needed to learn a style (100,000 and more do well)": (
        "das Korpus hat 5 Zeichen; mindestens 1.000 sind nötig, um einen Stil zu lernen (ab 100.000 gelingt "
        "es gut)"
    ),
    "Learned on Tuesday, 7 {things} in all.": "Learned on Tuesday, 7 {things} in all.",
    "": "",
}  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_told_again_with_its_values(line: str):
    with i18n.speaking("de"):
        assert retold(line) == LINES[line]
    for english in ("en-US", "en-GB", "xx"):
        with i18n.speaking(english):
            assert retold(line) == line


def test_a_value_that_looks_like_a_place_for_one_stays_as_it_is():
    line = "I lack {permissions} {0} in its channel."
    with i18n.speaking("de"):
        assert "{permissions} {0}" in retold(line)


@pytest.mark.usefixtures("clock")
async def test_what_a_command_in_german_finds_is_stored_in_english(
    world: World, trained_bundle: Path, monkeypatch: pytest.MonkeyPatch
):
    york = world.place("York")
    world.give_model(york, trained_bundle)
    schedule = await save(world, york)
    with world.bot.database.write() as session:
        session.query(type(known(world, york)[0])).update({"created_by": 1})  # somebody who is not here
    world.speaks(monkeypatch, "de")
    told = private_line(await york.admin.slash(york.channel, "schedule run", schedule=schedule.id))
    reason = "The person who created it has left the server."
    assert i18n.translated(reason, "de") in told
    assert known(world, york)[0].paused_reason == reason
