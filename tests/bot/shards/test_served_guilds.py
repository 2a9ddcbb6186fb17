"""A process looks after the servers of its shards, and leaves those of other processes alone."""

import datetime
from pathlib import Path

import pytest
import simcord

from bot.commands.background import housekeeping
from bot.settings import Settings
from models import (
    Corpus,
    GuildSettings,
    JobState,
    Schedule,
    ScheduleState,
    TrainingJob,
    guilds,
    scheduled_posts,
    schedules,
    training_jobs,
)
from tests.support.bot.world import World
from tests.support.rows import new_corpus, new_job

NOW = datetime.datetime.now(datetime.UTC)
LONG_AGO = NOW - datetime.timedelta(days=100)
OURS_GONE, THEIRS = (500_000_000_000 << 22, 500_000_000_001 << 22)
"""Servers of shard 0 and 1 in which the simulated Discord has no bot."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    more = {"jobs": "elsewhere", "shards": 2, "shard_ids": "0"}
    return Settings(_env_file=None, data_dir=tmp_path / "data", **more)


@pytest.fixture
def texts(world: World) -> dict[int, Path]:
    """Give two servers a queued training, a due schedule, and a text that is kept no longer."""
    files = {}
    with world.bot.database.write() as session:
        for guild_id in (OURS_GONE, THEIRS):
            guilds.edit(session, guild_id, keep_corpora_days=7)
            files[guild_id] = world.bot.layout.corpus(guild_id, "ab" * 32)
            files[guild_id].parent.mkdir(parents=True)
            files[guild_id].write_text("To be.")
            new_corpus(session, guild_id, path="c").created_at = LONG_AGO
            new_job(session, guild_id, new_corpus(session, guild_id, sha256="cd" * 32).id)
            values = {"channel_id": 7, "created_by": 5, "rule": "daily 09:00", "timezone": "UTC"}
            draft = schedules.add_draft(session, guild_id, anchor=NOW, **values)
            schedules.confirm(session, guild_id, draft.id, next_slot=NOW - datetime.timedelta(seconds=5))
    return files


def rows(world: World, guild_id: int) -> tuple[GuildSettings, TrainingJob, Schedule, Corpus]:
    with world.bot.database.read() as session:
        settings = guilds.settings_of(session, guild_id)
        found = [
            session.query(table).filter_by(guild_id=guild_id).order_by(table.created_at).first()
            for table in (TrainingJob, Schedule, Corpus)
        ]
    return settings, *found


async def test_servers_of_another_process_are_not_taken_for_left(world: World, texts: dict[int, Path]):
    left, _back = await world.bot.presence.compare()
    assert left == [OURS_GONE]
    settings, job, schedule, _corpus = rows(world, THEIRS)
    assert settings.removed_at is None
    assert job.state is JobState.QUEUED
    assert schedule.state is ScheduleState.ACTIVE
    settings, job, schedule, _corpus = rows(world, OURS_GONE)
    assert settings.removed_at is not None
    assert job.state is JobState.CANCELLED
    assert schedule.state is ScheduleState.PAUSED


async def test_their_texts_and_files_stay(world: World, texts: dict[int, Path]):
    housekeeping.tidy(world.bot.database, world.bot.storage, NOW, world.bot.served)
    assert rows(world, THEIRS)[3].text_deleted_at is None
    assert texts[THEIRS].exists()
    assert rows(world, OURS_GONE)[3].text_deleted_at is not None
    assert not texts[OURS_GONE].exists()


async def test_their_data_is_not_purged(world: World):
    with world.bot.database.write() as session:
        for guild_id in (OURS_GONE, THEIRS):
            guilds.edit(session, guild_id, removed_at=LONG_AGO)
    assert housekeeping.left_for_good(world.bot.database, NOW, world.bot.served) == [OURS_GONE]


async def test_their_posts_and_cards_are_left_to_their_process(world: World, texts: dict[int, Path]):
    await world.bot.poster.tick()
    await world.bot.get_cog("Train").cards.tick()
    with world.bot.database.read() as session:
        posts = [
            scheduled_posts.listing(session, guild_id, rows(world, guild_id)[2].id)
            for guild_id in (OURS_GONE, THEIRS)
        ]
        waiting = [job.guild_id for job in training_jobs.changed_cards(session)]
    ours, theirs = posts
    assert ours  # on a slow machine the next one may be due, too
    assert not theirs
    assert rows(world, THEIRS)[2].next_slot == rows(world, THEIRS)[2].anchor - datetime.timedelta(seconds=5)
    assert THEIRS in waiting
    channels = [request.path for request in world.env.http_requests if "/messages" in request.path]
    assert not channels, "no card was sent: one server is gone, the other one is not ours"


async def test_a_pause_is_told_by_the_process_that_serves_the_server(world: World):
    with world.bot.database.write() as session:
        for guild_id in (OURS_GONE, THEIRS):
            draft = schedules.add_draft(
                session, guild_id, channel_id=7, created_by=5, rule="daily 09:00", timezone="UTC", anchor=NOW
            )
            schedules.confirm(session, guild_id, draft.id, next_slot=NOW)
            schedules.pause(session, guild_id, draft.id, reason="Its channel was deleted.", notice=True)
    with world.bot.database.read() as session:
        told = schedules.to_tell(session, served=world.bot.served)
    assert [schedule.guild_id for schedule in told] == [OURS_GONE]


async def test_a_server_of_a_shard_answers_as_ever(world: World, simcord_env: simcord.Env):
    place = world.place("Ours", shard_id=0)
    other = world.place("Theirs", shard_id=1)
    assert [guild.id for guild in world.bot.guilds] == [place.guild.id]
    result = await place.admin.slash(place.channel, "help")
    assert result.followups or result.response
    assert other.guild.id not in {guild.id for guild in world.bot.guilds}
