"""SIGTERM with a running training: out in time, a fresh checkpoint, no trainer left, and it goes on."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.figures import Figure
from bot.settings import Settings
from models import JobState, training_jobs
from tests.bot.training.test_recovery import GUILD, Trainings, trainers
from tests.faults.tools import trainings
from tests.support.bot.processes import Pastiche, wait_for
from tests.support.textgen.bundles import write_random_bundle

MINUTES = 2.0
WAITS = True


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """End a worker in order; the long form starts it again, and lets the training finish."""
    settings = Settings(_env_file=None, data_dir=folder / "data", jobs_poll_s=0.2, training_threads=1)
    recorded = Trainings(settings)
    job_id = recorded.record(trainings.endless_corpus(), minutes=30)
    write_random_bundle(folder / "base", "lstm")  # which XLA does not compile for many seconds
    shutil.copytree(folder / "base", recorded.layout.training(GUILD, job_id) / "base")
    attempts = recorded.layout.training(GUILD, job_id)
    times = 1 if short else 4
    slowest = oldest = 0.0
    wrong = running_on = points = 0
    for number in range(times):
        with Pastiche(settings.data_dir, "worker") as worker:
            said = worker.log.read_text
            wait_for(lambda said=said, number=number: said().count("training started") > number, message=said)
            wait_for(lambda: len(json.loads(recorded.job(job_id).curve)) > 1, message=said)
            running: list[psutil.Process] = trainers(worker)
            time.sleep(1)
            asked, begun = time.time(), time.monotonic()
            wrong += worker.end() != 0
            slowest = max(slowest, time.monotonic() - begun)
            running_on += sum(process.is_running() for process in running)
            newest = max(
                (path.stat().st_mtime for path in attempts.glob("*/model.checkpoint/*.safetensors")),
                default=0.0,
            )
            oldest = max(oldest, asked - newest)
        job = recorded.job(job_id)
        points = len(json.loads(job.curve))
        wrong += job.state is not JobState.TRAINING
    if short:
        yield from _promised(slowest, wrong, running_on, oldest, times)
        return
    with Pastiche(settings.data_dir, "worker") as worker:
        said = worker.log.read_text
        wait_for(lambda: said().count("training started") > times, message=said)
        with recorded.database.write() as session:
            training_jobs.request_finish(session, GUILD, job_id)
        wait_for(lambda: recorded.ended(job_id), message=said)
        wrong += worker.end() != 0
    job = recorded.job(job_id)
    print(worker.log.read_text()[-3000:])
    yield from _promised(slowest, wrong, running_on, oldest, times)
    yield Figure("started anew", worker.log.read_text().count("resumed=False") - 1, "", "≤ 0")
    yield Figure("jobs not done", job.state is not JobState.DONE, "", "≤ 0")
    yield Figure("points of the curve lost", max(0, points - len(json.loads(job.curve))), "", "≤ 0")
    bundles = recorded.layout.bundle(GUILD, job_id).parent
    left = [path.name for path in bundles.iterdir() if path.name != job_id]
    left += [path.name for path in [recorded.layout.training(GUILD, job_id)] if path.exists()]
    yield Figure("files left beside the model", len(left), "", "≤ 0")


def _promised(slowest: float, wrong: int, running_on: int, oldest: float, times: int) -> Iterator[Figure]:
    """Yield what an end in order promises, whether or not the training goes on afterwards."""
    yield Figure(f"{times} × SIGTERM in a training: slowest end", slowest, "s", "≤ 30")
    yield Figure("exit codes other than 0, jobs that no longer train", wrong, "", "≤ 0")
    yield Figure("trainers left", running_on, "", "≤ 0")
    yield Figure("seconds from the signal back to the checkpoint", oldest, "s", "≤ 0")
