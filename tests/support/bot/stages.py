"""The three stages on which the bot runs, each as real processes on loopback: see docs/scaling.md.

1. SQLite and a folder, one `pastiche run`.
2. PostgreSQL and a folder, a bot that does not train and two workers.
3. PostgreSQL and an S3-like storage, two bots with a shard each and two workers, no folder in common.

Trainers only count, for as long as each job says (`tests.support.bot.stub_worker`).
"""

import datetime
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import migrations
from bot.bundles.publishing import publish_bundle
from bot.infra.storage import keys
from bot.infra.storage.opening import open_storage
from bot.settings import Settings
from bot.training.jobs.queue import JobQueue
from models import (
    Database,
    Host,
    PostState,
    TrainingJob,
    hosts,
    scheduled_posts,
    schedules,
    text_models,
    training_jobs,
)
from tests.support.bot.communities import PERSON, Communities
from tests.support.bot.discord_server import DiscordServer, channel_id_of, guild, guild_id_of
from tests.support.bot.processes import TOKEN, wait_for
from tests.support.bot.s3 import S3
from tests.support.bot.stub_process import StubProcess
from tests.support.postgresql import PostgresServer
from tests.support.rows import new_corpus, new_job

SHARDS = 2
GUILDS_A_SHARD = 2
OLD_ENOUGH = datetime.timedelta(minutes=1)
"""/train sends the first card itself; the bot sends one that is missing after half a minute."""


@dataclass(frozen=True)
class Asked:
    """A training that somebody has asked for.

    Attributes:
        guild_id: where.
        job_id: of its row.
        name: of the model, which no other training has.
    """

    guild_id: int
    job_id: str
    name: str


class Stage:
    """A running installation, its Discord, and what people did and saw.

    Args:
        number: 1, 2 or 3.
        root: of its folders and logs.
        bundle: what every training gives.
        settings: with which the test reaches database, queue and storage.
        environment: the same for the processes.
        postgresql: its database server; None: SQLite.
        s3: its storage; None: a folder.

    Attributes:
        server: its Discord.
        members: the newest process of each name.
        asked: every training that was asked for.
    """

    def __init__(
        self,
        number: int,
        root: Path,
        bundle: Path,
        settings: Settings,
        environment: dict[str, str],
        postgresql: PostgresServer | None,
        s3: S3 | None,
    ) -> None:
        self.number, self.root, self.bundle = number, root, bundle
        self.settings, self.environment = settings, environment
        self.postgresql, self.s3 = postgresql, s3
        settings.prepare_data_dir()
        self.server = DiscordServer()
        self.database = Database(settings.database_url)
        self.storage = open_storage(settings)
        self.queue = JobQueue(settings, self.database)
        self.communities = Communities(self.server, self.database)
        self.members: dict[str, StubProcess] = {}
        self.asked: list[Asked] = []
        self._started: list[StubProcess] = []

    @property
    def guild_ids(self) -> list[int]:
        """Servers of both shards, however many processes there are."""
        return [guild_id_of(shard, SHARDS, n) for n in range(GUILDS_A_SHARD) for shard in range(SHARDS)]

    def of_shard(self, shard_id: int) -> list[int]:
        """The servers of a shard."""
        return [guild_id for guild_id in self.guild_ids if (guild_id >> 22) % SHARDS == shard_id]

    @property
    def commands(self) -> dict[str, tuple[str, dict[str, str]]]:
        """The command and the settings of each process, by its name."""
        bot = {"DISCORD_TOKEN": TOKEN, "DISCORD_API": self.server.url}
        if self.number == 1:
            return {"bot": ("run", bot)}
        workers: dict[str, tuple[str, dict[str, str]]] = {f"worker-{n}": ("worker", {}) for n in (1, 2)}
        bot["PASTICHE_JOBS"] = "elsewhere"
        if self.number == 2:
            return {"bot": ("run", bot)} | workers
        shards = {
            f"bot-{n}": ("run", bot | {"PASTICHE_SHARDS": str(SHARDS), "PASTICHE_SHARD_IDS": str(n)})
            for n in range(SHARDS)
        }
        return shards | workers

    def workers(self) -> list[StubProcess]:
        return [member for name, member in self.members.items() if name.startswith("worker")]

    def set_up(self) -> None:
        """Make the tables; give every server a model and a schedule."""
        migrations.upgrade(self.settings.database_url)
        self.queue.prepare()
        self.server.guilds = [guild(guild_id) for guild_id in self.guild_ids]
        for guild_id in self.guild_ids:
            self.publish(guild_id, "Bard")
            self.communities.add_schedule(guild_id)

    def publish(self, guild_id: int, name: str) -> None:
        """Give a server a model that no process has read yet: its newest, so posts are written by it."""
        copy = self.storage.layout.bundle(guild_id, name.lower())
        shutil.copytree(self.bundle, copy)
        stored = self.storage.store_folder(copy, keys.bundle_key(guild_id, name.lower()))
        with self.database.write() as session:
            publish_bundle(session, guild_id, copy, name=name, created_by=PERSON, stored=stored)

    def start_missing(self) -> None:
        """Start every process that does not run, and wait until all are at work."""
        for name, (command, settings) in self.commands.items():
            if name in self.members and self.members[name].process.poll() is None:
                continue
            # Without a storage that all reach, all have one folder.
            place = self.root / name if self.s3 else self.root
            (place / "data").mkdir(parents=True, exist_ok=True)
            given = {"PASTICHE_DATA_DIR": str(place / "data")} | self.environment | settings
            member = StubProcess(self.root, name, "asked", self.bundle, (command,), given)
            self.members[name] = member
            self._started.append(member)
        for member in self.members.values():
            member.wait_ready()

    def ask(self, guild_id: int, seconds: float = 1.0, *, uploaded: bool = True) -> Asked:
        """Ask for a training of so many seconds, as /train records it.

        Args:
            guild_id: where.
            seconds: how long it takes.
            uploaded: whether the text is there.
        """
        name = f"Model {len(self.asked) + 1}"
        text = f"To be, or not to be, {name}. " * 100
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        key, upload = keys.corpus_key(guild_id, sha256), self.root / f"{sha256}.txt"
        upload.write_text(text)
        if uploaded:
            self.storage.store_file(upload, key)
        with self.database.write() as session:
            corpus = new_corpus(session, guild_id, text, path=key, sha256=sha256)
            job = new_job(
                session,
                guild_id,
                corpus.id,
                channel_id=channel_id_of(guild_id),
                model_name=name,
                minutes=seconds / 60,
                requested_by=PERSON,
            )
            job.created_at -= OLD_ENOUGH
            if uploaded:
                self.storage.layout.located(key).parent.mkdir(parents=True, exist_ok=True)
                self.storage.settle(upload, key)
            self.queue.enqueue_with(session, job)
        self.queue.enqueue(job)
        asked = Asked(guild_id, job.id, name)
        self.asked.append(asked)
        return asked

    def job(self, asked: Asked) -> TrainingJob:
        with self.database.read() as session:
            job = training_jobs.get(session, asked.guild_id, asked.job_id)
            assert job is not None
            return job

    def wait_until_trained(self, asked: Asked, seconds: float = 2.0) -> StubProcess:
        """Wait until a training has come so far; return the worker that has it, if nobody else trains."""
        self.wait(lambda: self.job(asked).fraction * self.job(asked).minutes * 60 >= seconds)
        (owner,) = (worker for worker in self.workers() if worker.trainers())
        return owner

    def shown(self, asked: Asked) -> str:
        """Return what the one card of a training shows; "" while there is none."""
        cards = self.communities.cards(asked.guild_id, asked.name)
        assert len(cards) <= 1, cards
        return "".join(cards)

    def wait_until_shown(self, what: str, *trainings: Asked) -> None:
        self.wait(lambda: all(what in self.shown(asked) for asked in trainings))

    def read_model(self, asked: Asked) -> str:
        """Sample from the model of a training, out of the storage."""
        import textgen

        with self.database.read() as session:
            model = text_models.by_name(session, asked.guild_id, asked.name)
            assert model is not None
        with self.storage.lease(model.bundle_path) as path:
            return str(textgen.load(path).generate("the", length=20, random_seed=1))

    def posts(self) -> dict[int, int]:
        """Return the number of posts that each server shows."""
        return {guild_id: self.communities.posts(guild_id) for guild_id in self.guild_ids}

    def post_rows(self) -> dict[int, list[PostState]]:
        """Return the states of the slots of each server."""
        with self.database.read() as session:
            return {
                guild_id: [
                    post.state
                    for schedule in schedules.listing(session, guild_id)
                    for post in scheduled_posts.listing(session, guild_id, schedule.id)
                ]
                for guild_id in self.guild_ids
            }

    def strays(self) -> list[object]:
        """Return the messages that nobody should have got: notices, second welcomes."""
        names = {asked.name for asked in self.asked}
        return [
            message for guild_id in self.guild_ids for message in self.communities.others(guild_id, names)
        ]

    def host(self, name: str) -> Host:
        """Return the row of a process."""
        with self.database.read() as session:
            return next(host for host in hosts.living(session) if host.name == name)

    def wait(self, what: Callable[[], object]) -> None:
        wait_for(what, message=self.said)

    def said(self) -> str:
        """What the processes logged last, for a test that fails."""
        return "\n".join(f"--- {each.log.name}\n{each.said()[-3000:]}" for each in self._started)

    def close(self) -> None:
        for each in self._started:
            each.close()
        self.queue.close()
        self.database.dispose()
