"""Attempts of a training: the latest has the files of those before it, and only the latest may go on."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

import migrations
from bot.infra.paths import Layout
from bot.infra.storage.folder import FolderStorage
from bot.settings import Settings
from bot.training.jobs.progress import Reporter
from bot.training.trainer import workspace
from bot.training.trainer.handover import hand_over
from bot.training.trainer.process import Stop, checkpoint_of, lock_of
from models import Database, JobState, TrainingJob, queue_order, training_jobs
from tests.support.rows import new_job

GUILD, JOB = 11, "a" * 32


def never(seconds: float) -> None:
    raise AssertionError(f"waited {seconds} s")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


def leave_checkpoint(layout: Layout, attempt: int, step: str) -> Path:
    """Write a checkpoint as a trainer does, which replaces its file."""
    state = checkpoint_of(layout.trained(GUILD, JOB, attempt)) / "state.safetensors"
    state.parent.mkdir(parents=True, exist_ok=True)
    new = state.with_suffix(".new")
    new.write_text(step)
    new.replace(state)
    return state


def state_of(layout: Layout, attempt: int) -> str:
    return (checkpoint_of(layout.trained(GUILD, JOB, attempt)) / "state.safetensors").read_text()


class TestHandingOver:
    def test_the_latest_checkpoint_is_handed_over_and_stays_what_it_was(self, layout: Layout):
        leave_checkpoint(layout, 1, "step 1")
        leave_checkpoint(layout, 2, "step 2")
        hand_over(layout, GUILD, JOB, 4, wait=never)
        assert state_of(layout, 4) == "step 2"
        leave_checkpoint(layout, 2, "late")  # a trainer whose worker was frozen
        assert state_of(layout, 4) == "step 2"
        hand_over(layout, GUILD, JOB, 4, wait=never)
        assert state_of(layout, 4) == "step 2"

    def test_a_bundle_that_was_finished_but_not_published_is_handed_over(self, layout: Layout):
        bundle = layout.trained(GUILD, JOB, 1)
        bundle.mkdir(parents=True)
        (bundle / "manifest.json").write_text("{}")
        hand_over(layout, GUILD, JOB, 2, wait=never)
        placed = workspace.put_in_place(layout, GUILD, JOB, 2)
        assert placed == layout.bundle(GUILD, JOB)
        assert [path.name for path in placed.iterdir()] == ["manifest.json"]
        assert workspace.put_in_place(layout, GUILD, JOB, 2) == placed, "after a transaction that is repeated"
        assert (placed / "manifest.json").is_file()

    def test_a_training_of_an_earlier_version_goes_on(self, layout: Layout):
        leave_checkpoint(layout, 0, "old")
        hand_over(layout, GUILD, JOB, 1, wait=never)
        assert state_of(layout, 1) == "old"

    def test_what_counts_the_starts_is_handed_over_with_the_lock_of_a_killed_trainer(self, layout: Layout):
        folder = layout.attempt(GUILD, JOB, 1)
        folder.mkdir(parents=True)
        (folder / workspace.STARTS).write_text(json.dumps({"starts": 1, "saved": 0}))
        lock_of(layout.trained(GUILD, JOB, 1)).touch()
        hand_over(layout, GUILD, JOB, 2, wait=never)
        assert (layout.attempt(GUILD, JOB, 2) / workspace.STARTS).is_file()
        assert lock_of(layout.trained(GUILD, JOB, 2)).exists()

    def test_nothing_is_handed_over_where_nothing_was_left(self, layout: Layout):
        hand_over(layout, GUILD, JOB, 1, wait=never)
        assert not layout.training(GUILD, JOB).exists()

    def test_an_attempt_deletes_its_own_files_only(self, layout: Layout):
        for attempt in (1, 2):
            leave_checkpoint(layout, attempt, str(attempt))
        workspace.clear_attempt(FolderStorage(layout), GUILD, JOB, 1)
        assert state_of(layout, 2) == "2"
        assert not layout.attempt(GUILD, JOB, 1).exists()


def begin_again(session: Session, job: TrainingJob) -> None:
    queue_order.take(session, "turn")


def finish_elsewhere(session: Session, job: TrainingJob) -> None:
    queue_order.take(session, "turn")
    session.get_one(TrainingJob, job.id).state = JobState.DONE


def restore_from_yesterday(session: Session, job: TrainingJob) -> None:
    row = session.get_one(TrainingJob, job.id)
    row.state, row.attempt = JobState.QUEUED, 0


CHANGES: dict[str, tuple[Callable[[Session, TrainingJob], object], Stop | None]] = {
    "nothing": (lambda session, job: None, None),
    "finish now": (
        lambda session, job: training_jobs.request_finish(session, job.guild_id, job.id),
        Stop.FINISH,
    ),
    "cancelled": (lambda session, job: training_jobs.cancel(session, job.guild_id, job.id), Stop.CANCEL),
    "deleted": (
        lambda session, job: session.delete(session.get_one(TrainingJob, job.id)),
        Stop.CANCEL,
    ),
    "begun again elsewhere": (begin_again, Stop.LOST),
    "finished elsewhere": (finish_elsewhere, Stop.LOST),
    "restored from yesterday": (restore_from_yesterday, Stop.LOST),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("news", [False, True], ids=["silent", "with news"])
@pytest.mark.slow
def test_what_becomes_of_the_job_tells_the_trainer_what_to_do(settings: Settings, change: str, news: bool):
    settings.prepare_data_dir()
    migrations.upgrade(settings.database_url)
    database = Database(settings.database_url)
    with database.write() as session:
        new_job(session, GUILD)
        job = queue_order.take(session, "turn")
        assert job is not None
    reporter = Reporter(database, job, lambda: False)
    move, expected = CHANGES[change]
    with database.write() as session:
        move(session, job)
    if news:
        reporter.take({"event": "progress", "fraction": 0.5, "loss": 2.0, "eta_s": 1.0})
    assert reporter.should_stop() is expected
    assert reporter.lost == (expected is Stop.LOST)
    with database.read() as session:
        row = session.get(TrainingJob, job.id)
    assert row is None or row.fraction == (0.5 if news and expected in (None, Stop.FINISH) else 0.0)
    database.dispose()
