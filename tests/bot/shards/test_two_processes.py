"""Two real bot processes on PostgreSQL, each with a shard: every post once, nobody else's servers touched."""

import asyncio
import datetime
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import migrations
from bot.bundles.publishing import publish_bundle
from bot.infra.paths import Layout
from models import Database, JobState, ScheduleState, guilds, schedules, training_jobs
from tests.bot.shards.test_shard_claims import postgresql
from tests.support.bot.communities import PERSON, Communities
from tests.support.bot.discord_server import DiscordServer, channel_id_of, guild, guild_id_of
from tests.support.bot.gateway_server import listening
from tests.support.bot.processes import Pastiche
from tests.support.bot.trainings import until
from tests.support.postgresql import postgresql_server
from tests.support.rows import new_job

__all__ = ["postgresql", "postgresql_server"]

pytestmark = pytest.mark.slow
IDS = [guild_id_of(shard, 2) for shard in range(2)]
TRAINED = "Hamlet"


class Processes:
    """Discord, the database, and a way to start the process of a shard."""

    def __init__(self, server: DiscordServer, url: str, root: Path) -> None:
        self.server, self.url, self.root = server, url, root
        self.database = Database(url)
        self.communities = Communities(server, self.database)
        self.started: list[Pastiche] = []

    def folder(self, shard_id: int) -> Path:
        return self.root / f"shard-{shard_id}" / "data"

    def start(self, shard_id: int, name: str = "") -> Pastiche:
        """Start the process of a shard, or another one in a folder of another name."""
        data_dir = self.folder(shard_id).with_name(name or "data")
        data_dir.mkdir(parents=True, exist_ok=True)
        made = Pastiche(
            data_dir,
            "run",
            DATABASE_URL=self.url,
            DISCORD_API=self.server.url,
            PASTICHE_JOBS="elsewhere",
            PASTICHE_JOBS_DATABASE_URL=f"sqlite:///{data_dir}/jobs.sqlite",
            PASTICHE_SHARDS="2",
            PASTICHE_SHARD_IDS=str(shard_id),
            PASTICHE_EXECUTOR_ID=f"bot-{shard_id}{name}",
        )
        self.started.append(made)
        return made

    def give(self, shard_id: int, bundle: Path) -> None:
        """Give a server a model, a queued training, and a schedule that is due."""
        guild_id = IDS[shard_id]
        copy = Layout(self.folder(shard_id)).bundle(guild_id, "given")
        shutil.copytree(bundle, copy)
        with self.database.write() as session:
            publish_bundle(session, guild_id, copy, name="Bard", created_by=PERSON)
            job = new_job(session, guild_id, channel_id=channel_id_of(guild_id), model_name=TRAINED)
            job.created_at -= datetime.timedelta(hours=1)
        self.communities.add_schedule(guild_id)

    def posts(self, shard_id: int) -> int:
        """Return how many scheduled posts a server's channel shows."""
        return self.communities.posts(IDS[shard_id])

    def cards(self, shard_id: int) -> int:
        return sum("Queued" in card for card in self.communities.cards(IDS[shard_id], TRAINED))

    def state(self, shard_id: int) -> tuple[JobState, ScheduleState, bool]:
        """Return the state of a server's training and schedule, and whether it counts as left."""
        with self.database.read() as session:
            (job,) = training_jobs.listing(session, IDS[shard_id]) or [None]
            (schedule,) = schedules.listing(session, IDS[shard_id])
            left = guilds.settings_of(session, IDS[shard_id]).removed_at is not None
        return (job.state if job else JobState.CANCELLED), schedule.state, left


WELL = JobState.QUEUED, ScheduleState.ACTIVE, False


@pytest.fixture
async def processes(postgresql: str, trained_bundle: Path, tmp_path: Path) -> AsyncIterator[Processes]:
    await asyncio.to_thread(migrations.upgrade, postgresql)
    server = DiscordServer()
    server.guilds = [guild(guild_id) for guild_id in IDS]
    async with listening(server):
        made = Processes(server, postgresql, tmp_path)
        for shard_id in range(2):
            made.give(shard_id, trained_bundle)
        made.communities.let_be_due()
        yield made
        for each in made.started:
            each.__exit__()
        made.database.dispose()


async def test_each_process_serves_its_own_servers(processes: Processes):
    first = processes.start(0)
    await until(lambda: processes.posts(0) and processes.cards(0))
    assert processes.posts(1) == processes.cards(1) == 0, "nobody serves the other server yet"
    assert processes.state(1) == WELL, "it is not taken for left"

    processes.start(1)
    await until(lambda: processes.posts(1) and processes.cards(1))
    assert [processes.state(shard_id) for shard_id in range(2)] == [WELL, WELL]

    third = processes.start(1, "third")
    assert await asyncio.to_thread(third.process.wait, 120) == 1
    last = third.log.read_text().splitlines()[-1]
    assert last.startswith("error: process ")
    assert "already serves shard 1 of 2" in last

    first.kill()
    processes.communities.let_be_due()
    await until(lambda: processes.posts(1) == 2)
    assert processes.posts(0) == 1
    processes.start(0)
    await until(lambda: processes.posts(0) == 2)
    await asyncio.sleep(5)  # for a second post that must not come
    assert [processes.posts(shard_id) for shard_id in range(2)] == [2, 2]
    assert [processes.cards(shard_id) for shard_id in range(2)] == [1, 1]
    assert [processes.state(shard_id) for shard_id in range(2)] == [WELL, WELL]
