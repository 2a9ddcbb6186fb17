"""What is kept long enough is deleted by itself: old texts, and servers that removed the bot."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.commands.background import housekeeping
from bot.privacy import erasure
from models import AuditEvent, FileRemoval, guilds, training_jobs
from tests.bot.commands.test_privacy import files, finish, rows, train
from tests.support.bot.world import Place, World, answer, shown

NOW = datetime.now(UTC)


@pytest.mark.slow
async def test_texts_are_deleted_so_many_days_after_their_last_training(
    world: World, trained_bundle: Path, corpus_text: str
):
    stratford, abbey = world.place("Stratford"), world.place("Abbey")
    model_id = world.give_model(stratford, trained_bundle, "Bard")
    finish(world, stratford, await train(world, stratford, corpus_text), model_id)
    await train(world, abbey, corpus_text)  # waits still
    with world.bot.database.write() as session:
        guilds.edit(session, stratford.guild.id, keep_corpora_days=7)
        guilds.edit(session, abbey.guild.id, keep_corpora_days=0)
    texts = world.bot.layout.guild(stratford.guild.id) / "corpora"
    ended = datetime.now(UTC)
    housekeeping.tidy(world.bot.database, world.bot.storage, ended + timedelta(days=6))
    assert len(list(texts.glob("*"))) == 1
    housekeeping.tidy(world.bot.database, world.bot.storage, ended + timedelta(days=8))
    assert not texts.exists()
    assert len(files(world, abbey)) == 1
    assert "Bard" in shown(answer(await stratford.member.slash(stratford.channel, "generate", length=10)))


async def test_texts_are_kept_where_the_server_says_nothing(world: World, corpus_text: str):
    stratford = world.place()
    job = await train(world, stratford, corpus_text)
    with world.bot.database.write() as session:
        training_jobs.cancel(session, stratford.guild.id, job.id)
    housekeeping.tidy(world.bot.database, world.bot.storage, NOW + timedelta(days=9999))
    assert len(files(world, stratford)) == 1


async def purge(world: World, now: datetime) -> list[int]:
    """What the loop does an hour after a start, at a moment."""
    database, storage = world.bot.database, world.bot.storage
    gone = await world.bot.presence.confirmed_gone(housekeeping.left_for_good(database, now))
    housekeeping.purge(database, storage, gone, now)
    return gone


def marked(world: World, place: Place) -> datetime | None:
    with world.bot.database.read() as session:
        return guilds.settings_of(session, place.guild.id).removed_at


async def test_a_server_that_removed_the_bot_is_purged_after_30_days_and_not_before(
    world: World, trained_bundle: Path
):
    stratford, abbey = world.place("Stratford"), world.place("Abbey")
    for place in (stratford, abbey):
        world.give_model(place, trained_bundle, "Bard")
    world.env.backend.remove_guild(stratford.guild.id)
    await world.env.settle()
    await world.bot.presence.compare()
    assert await purge(world, NOW + timedelta(days=29)) == []
    assert await purge(world, NOW + timedelta(days=31)) == [stratford.guild.id]
    assert rows(world, stratford) == {}
    assert files(world, stratford) == []
    assert files(world, abbey)


async def test_a_server_that_takes_the_bot_back_keeps_everything(world: World, trained_bundle: Path):
    stratford = world.place()
    world.give_model(stratford, trained_bundle, "Bard")
    with world.bot.database.write() as session:
        guilds.edit(session, stratford.guild.id, removed_at=NOW)
    assert await world.bot.presence.compare() == ([], [stratford.guild.id])
    assert await purge(world, NOW + timedelta(days=90)) == []


@pytest.mark.parametrize("answer", ["it is in it", "no answer"])
async def test_nothing_is_purged_that_discord_does_not_confirm(
    world: World, trained_bundle: Path, answer: str, monkeypatch: pytest.MonkeyPatch
):
    """The bot's own list may lack it in an outage, or at another bot's shards."""
    stratford = world.place()
    world.give_model(stratford, trained_bundle, "Bard")
    with world.bot.database.write() as session:
        guilds.edit(session, stratford.guild.id, removed_at=NOW)
    monkeypatch.setattr(world.bot, "get_guild", lambda _guild_id: None)
    if answer == "no answer":
        world.env.inject_error("GET", "/guilds/*", status=503, times=9)
    assert await purge(world, NOW + timedelta(days=90)) == []
    assert files(world, stratford)
    assert (marked(world, stratford) is None) == (answer == "it is in it")


@pytest.mark.parametrize(
    ("confirmed", "left"), [("outage", False), ("no answer", False), ("removed", True)], ids=str
)
async def test_a_server_that_disappears_in_an_outage_left_only_if_discord_confirms_it(
    world: World, confirmed: str, left: bool
):
    stratford = world.place()
    guild = world.bot.get_guild(stratford.guild.id)
    guild.unavailable = True
    if confirmed == "no answer":
        world.env.inject_error("GET", "/guilds/*", status=503, times=9)
    if confirmed == "removed":
        world.env.backend.remove_guild(stratford.guild.id)
    for listener in world.bot.extra_events["on_guild_remove"]:
        await listener(guild)
    assert (marked(world, stratford) is not None) == left


async def test_the_loop_notices_a_server_that_left_while_the_bot_was_offline(world: World):
    stratford = world.place()
    with world.bot.database.write() as session:
        guilds.edit(session, 4711, length=77)
        guilds.edit(session, stratford.guild.id, length=77, removed_at=NOW)
    await world.restart()
    # The loop itself: an hour of simulated time would turn every other loop a thousand times.
    await world.bot.get_cog("Housekeeping").every_hour()
    with world.bot.database.read() as session:
        assert guilds.settings_of(session, 4711).removed_at is not None
        assert guilds.settings_of(session, stratford.guild.id).removed_at is None


async def test_nothing_is_listed_for_removal_forever(world: World, corpus_text: str):
    stratford = world.place()
    await train(world, stratford, corpus_text)
    erasure.erase_guild(world.bot.database, world.bot.storage, stratford.guild.id, NOW)
    housekeeping.tidy(world.bot.database, world.bot.storage, datetime.now(UTC) + timedelta(hours=2))
    with world.bot.database.read() as session:
        assert session.scalars(sa.select(FileRemoval)).all() == []
        assert session.scalars(sa.select(AuditEvent)).all() == []
