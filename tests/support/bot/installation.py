"""An installation of several processes on PostgreSQL: jobs as /train records them, and stub workers."""

from collections.abc import Sequence
from pathlib import Path

import migrations
from bot.infra.paths import Layout
from bot.settings import Settings
from bot.training.jobs.queue import JobQueue
from models import Database, JobState, TrainingJob, training_jobs
from tests.support.bot.processes import wait_for
from tests.support.bot.stub_process import StubProcess
from tests.support.rows import new_corpus, new_job


class StubWorker(StubProcess):
    """A process that takes turns and whose trainer only counts."""

    def __init__(self, there: "Installation", name: str, *options: str, **environment: str) -> None:
        settings = {
            "PASTICHE_DATA_DIR": str(there.settings.data_dir),
            "DATABASE_URL": there.settings.database_url,
        }
        command = ("worker", *options)
        super().__init__(there.folder, name, there.seconds, there.bundle, command, settings | environment)

    def ready(self) -> "StubWorker":
        self.wait_ready()
        return self


class Installation:
    """One database, one data directory, and the workers that a test starts."""

    def __init__(self, folder: Path, url: str, bundle: Path, *, seconds: float = 2.0) -> None:
        self.folder, self.bundle, self.seconds = folder, bundle, seconds
        self.settings = Settings(_env_file=None, data_dir=folder / "data", database_url=url, name="test")
        self.settings.prepare_data_dir()
        migrations.upgrade(url)
        self.database = Database(url)
        self.queue = JobQueue(self.settings, self.database)
        self.queue.prepare()
        self.layout = Layout(self.settings.data_dir)
        self._workers: list[StubWorker] = []

    def worker(self, name: str, *options: str, **environment: str) -> StubWorker:
        worker = StubWorker(self, name, *options, **environment)
        self._workers.append(worker)
        return worker

    def ask(self, guild_id: int = 11, name: str = "Hamlet") -> str:
        """Ask for a training, and return the job's id."""
        path = self.layout.corpus(guild_id, "a" * 64)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("To be, or not to be. " * 100)
        with self.database.write() as session:
            corpus = new_corpus(session, guild_id, "text", path=str(path), sha256="a" * 64)
            job = new_job(session, guild_id, corpus.id, model_name=name)
            self.queue.enqueue_with(session, job)
        self.queue.enqueue(job)
        return job.id

    def job(self, job_id: str, guild_id: int = 11) -> TrainingJob:
        with self.database.read() as session:
            job = training_jobs.get(session, guild_id, job_id)
            assert job is not None
            return job

    def trains(self, job_id: str, share: float = 0.0) -> bool:
        job = self.job(job_id)
        return job.state is JobState.TRAINING and job.fraction > share

    def wait_until_done(self, *job_ids: str) -> None:
        wait_for(lambda: all(self.job(job_id).state.is_final for job_id in job_ids), message=self.said)
        assert [(self.job(job_id).state, self.job(job_id).error) for job_id in job_ids] == [
            (JobState.DONE, None)
        ] * len(job_ids), self.said()

    def turns(self) -> Sequence[str]:
        """The states of all turns, in their order."""
        return [turn.status for turn in self.queue._client.list_workflows(load_output=False)]

    def said(self) -> str:
        return "\n".join(f"--- {worker.log.name}\n{worker.said()}" for worker in self._workers)

    def close(self) -> None:
        for worker in self._workers:
            worker.close()
        self.queue.close()
        self.database.dispose()
