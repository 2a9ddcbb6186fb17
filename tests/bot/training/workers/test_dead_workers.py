"""Workers that die, freeze or lose their name: the training goes on elsewhere, and only one writes."""

import signal
import time

import pytest

from models import JobState
from tests.support.bot.installation import Installation
from tests.support.bot.processes import wait_for

pytestmark = pytest.mark.slow

RECOVERY_S = 30.0


def test_the_training_of_a_killed_worker_goes_on_elsewhere(there: Installation):
    there.seconds = 60.0
    first = there.worker("first").ready()
    job_id = there.ask()
    wait_for(lambda: there.trains(job_id, 0.02), message=there.said)
    second = there.worker("second").ready()
    (trainer,) = first.trainers()
    begun = time.monotonic()
    first.signal(signal.SIGKILL)
    trainer.wait(30)
    wait_for(second.trainers, message=there.said)
    assert time.monotonic() - begun <= RECOVERY_S
    wait_for(lambda: "resumed=True" in second.said(), message=there.said)
    job = there.job(job_id)
    assert (job.state, job.attempt) == (JobState.TRAINING, 2)
    assert second.end() == 0, "it hands the training back at once"
    there.seconds = 1.0
    third = there.worker("third")
    there.wait_until_done(job_id)
    assert third.said().count("resumed=True") == 1
    assert there.job(job_id).attempt == 3
    models = there.layout.bundle(11, job_id).parent
    assert [path.name for path in models.iterdir()] == [job_id]
    assert not there.layout.training(11, job_id).exists()


def test_a_frozen_worker_that_wakes_leaves_the_training_to_its_successor(there: Installation):
    there.seconds = 600.0
    frozen = there.worker("frozen").ready()
    job_id = there.ask()
    wait_for(lambda: there.trains(job_id), message=there.said)
    frozen.signal(signal.SIGSTOP)
    successor = there.worker("successor")
    wait_for(lambda: "resumed=True" in successor.said(), message=there.said)
    frozen.signal(signal.SIGCONT)
    wait_for(lambda: "another process has the training" in frozen.said(), message=there.said)
    assert not frozen.trainers()
    assert (there.job(job_id).state, there.job(job_id).attempt) == (JobState.TRAINING, 2)
    assert len(successor.trainers()) == 1


def test_a_worker_that_wakes_after_its_successor_has_finished_leaves_the_model_alone(there: Installation):
    there.seconds = 15.0
    frozen = there.worker("frozen").ready()
    job_id = there.ask()
    wait_for(lambda: there.trains(job_id), message=there.said)
    frozen.signal(signal.SIGSTOP)
    successor = there.worker("successor")
    there.wait_until_done(job_id)
    assert successor.end() == 0
    frozen.signal(signal.SIGCONT)
    wait_for(lambda: "another process has the training" in frozen.said(), message=there.said)
    assert (there.layout.bundle(11, job_id) / "manifest.json").is_file()
    assert there.job(job_id).state is JobState.DONE
    assert "training failed" not in there.said()
    assert "training cancelled" not in there.said()
    there.wait_until_done(there.ask(name="Next"))
    assert "executor=worker-frozen:1" in frozen.said(), "it is still at work"


def test_the_later_of_two_workers_of_one_name_stays(there: Installation, tmp_path):
    first = there.worker("twin").ready()
    job_id = there.ask()
    wait_for(lambda: there.trains(job_id), message=there.said)
    second = there.worker("twin", PASTICHE_DATA_DIR=str(tmp_path / "elsewhere"))
    assert first.process.wait(120) == 3
    last = first.said().splitlines()[-1]
    assert last.startswith("error: another worker (version ")
    assert "has taken the name “twin”" in last
    assert "Traceback" not in first.said()
    second.ready()
    assert second.end() == 0
