"""A training outlives a kill of the process that runs it; its orderly end is `tests/faults/sigterm.py`."""

import json
import shutil
from pathlib import Path

import psutil
import pytest

import migrations
from bot.infra.paths import Layout
from bot.settings import Settings
from models import Database, JobState, TrainingJob, text_models, training_jobs
from tests.faults.tools.trainings import endless_corpus
from tests.support.bot.processes import Pastiche, wait_for
from tests.support.rows import new_corpus, new_job
from tests.support.textgen.bundles import write_random_bundle

GUILD, ADA = 11, 22


class Trainings:
    """Jobs as /train records them, seen through the database."""

    def __init__(self, settings: Settings) -> None:
        settings.prepare_data_dir()
        migrations.upgrade(settings.database_url)
        self.database = Database(settings.database_url)
        self.layout = Layout(settings.data_dir)

    def record(self, text: str, *, minutes: float) -> str:
        path = self.layout.corpus(GUILD, "a" * 64)
        path.parent.mkdir(parents=True)
        path.write_text(text)
        with self.database.write() as session:
            corpus = new_corpus(session, GUILD, text, path=str(path), sha256="a" * 64, uploaded_by=ADA)
            asked = {"requested_by": ADA, "model_name": "Hamlet", "minutes": minutes, "size": "tiny"}
            return new_job(session, GUILD, corpus.id, **asked).id

    def job(self, job_id: str) -> TrainingJob:
        with self.database.read() as session:
            job = training_jobs.get(session, GUILD, job_id)
            assert job is not None
            return job

    def ended(self, job_id: str) -> bool:
        return self.job(job_id).state.is_final


@pytest.fixture
def trainings(settings: Settings) -> Trainings:
    return Trainings(settings)


def trainers(worker: Pastiche) -> list[psutil.Process]:
    return [child for child in worker.children() if "train" in child.cmdline()]


@pytest.mark.slow
def test_a_training_goes_on_where_its_process_was_killed(
    settings: Settings, trainings: Trainings, tmp_path: Path
):
    # It is ended by a wish, neither by the clock nor by its last epoch.
    job_id = trainings.record(endless_corpus(), minutes=30)
    write_random_bundle(tmp_path / "base", "lstm")  # which XLA does not compile for many seconds
    shutil.copytree(tmp_path / "base", trainings.layout.training(GUILD, job_id) / "base")
    with Pastiche(settings.data_dir, "worker") as worker:
        wait_for(lambda: trainings.job(job_id).sample, message=worker.log.read_text)
        (trainer,) = trainers(worker)
        worker.kill()
        trainer.wait(60)  # it notices that nobody listens, keeps its checkpoint and ends
        assert not trainer.is_running()
    job = trainings.job(job_id)
    assert job.state is JobState.TRAINING, job.error
    points = len(json.loads(job.curve))

    with Pastiche(settings.data_dir, "worker") as worker:
        said = worker.log.read_text
        wait_for(lambda: "resumed=True" in said(), message=said)
        with trainings.database.write() as session:
            training_jobs.request_finish(session, GUILD, job_id)
        wait_for(lambda: trainings.ended(job_id), message=said)
        assert worker.end() == 0
    job = trainings.job(job_id)
    assert job.state is JobState.DONE, job.error
    log = worker.log.read_text()
    assert log.count("resumed=False") == 1, log
    assert log.count("resumed=True") == 1, log
    assert len(json.loads(job.curve)) >= points, "the curve goes on as well"
    with trainings.database.read() as session:
        model = text_models.by_name(session, GUILD, "Hamlet")
    assert model is not None
    assert {path.name for path in trainings.layout.located(model.bundle_path).parent.iterdir()} == {job_id}
    assert not trainings.layout.training(GUILD, job_id).exists()
