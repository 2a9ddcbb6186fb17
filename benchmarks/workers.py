"""Several workers on PostgreSQL: `python -m benchmarks.workers [recovery] [queue] [speed]`.

Recovery after a kill, the queue under load, fair turns, and the speed of two workers. The trainers are stubs
that only count, so that the queue is measured and not Keras. It starts a PostgreSQL server of its own, whose
programs must be installed. KILLS in the environment is the number of kills.
"""

from __future__ import annotations

import collections
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa

from benchmarks.figures import Figure
from models import JobState, TrainingJob
from tests.support.bot.installation import Installation, StubWorker
from tests.support.postgresql import PostgresServer, new_server
from tests.support.rows import new_job
from tests.support.textgen.bundles import write_random_bundle

KILLS = int(os.environ.get("KILLS", "5"))
GIVEN_UP_S = 120.0
PATIENCE_S = 1800.0
GUILDS, JOBS_OF_EACH = 50, 20
ASKED = 300
SPEED_JOBS, SPEED_S = 12, 1.5
QUICK = {"STUB": "waits", "PASTICHE_JOBS_POLL_S": "0.1", "PASTICHE_LOG_LEVEL": "WARNING"}


def run() -> Iterator[Figure]:
    """Measure everything."""
    server = new_server()
    with tempfile.TemporaryDirectory() as folder:
        try:
            write_random_bundle(Path(folder) / "bundle")
            for name, measure in {"recovery": _recovery, "queue": _queue, "speed": _speed}.items():
                if not sys.argv[1:] or name in sys.argv[1:]:
                    yield from measure(Path(folder), server)
        finally:
            server.close()


def _recovery(folder: Path, server: PostgresServer) -> Iterator[Figure]:
    """Kill the worker that trains, again and again; another one is always there."""
    there = Installation(folder / "kills", server.new_database(), folder / "bundle", seconds=3600.0)
    took, most, attempts = [], 0, 0
    try:
        job_id = there.ask()
        workers = [there.worker("w0").ready(), there.worker("w1").ready()]
        for number in range(KILLS):
            wait_for(lambda: any(worker.trainers() for worker in workers), message=there.said)  # noqa: B023
            attempt, fraction = there.job(job_id).attempt, there.job(job_id).fraction
            (victim,) = [worker for worker in workers if worker.trainers()]
            (other,) = [worker for worker in workers if worker is not victim]
            wait_for(lambda: there.job(job_id).fraction > fraction, message=there.said)  # noqa: B023
            begun = time.monotonic()
            orphans = victim.trainers()
            victim.signal(signal.SIGKILL)
            victim.process.wait()
            while not other.trainers():
                time.sleep(0.05)
                if time.monotonic() - begun > GIVEN_UP_S:
                    raise RuntimeError(there.said())
            took.append(time.monotonic() - begun)
            most = max(most, len(other.trainers()) + sum(_runs(orphan) for orphan in orphans))
            attempts += there.job(job_id).attempt - attempt
            workers = [other, there.worker(f"w{number + 2}").ready()]
    finally:
        there.close()
    yield Figure(f"{KILLS} × kill -9 of a worker: slowest recovery", max(took), "s", "≤ 30")
    yield Figure("median recovery", statistics.median(took), "s")
    yield Figure("trainers of one job at a time", most, "", "≤ 1")
    yield Figure("attempts for each kill", attempts / KILLS, "", "≤ 1")


def _runs(process: object) -> bool:
    return process.is_running() and process.status() != "zombie"  # type: ignore[attr-defined]


def _queue(folder: Path, server: PostgresServer) -> Iterator[Figure]:
    there = Installation(folder / "queue", server.new_database(), folder / "bundle", seconds=0.0)
    try:
        for number in range(GUILDS * JOBS_OF_EACH):
            there.ask(guild_id=number % GUILDS + 1, name=f"m{number}")
        corpus_id = there.job(there.ask(GUILDS + 1, "first"), GUILDS + 1).corpus_id
        took, empty = [], []
        for number in range(ASKED):
            begun = time.perf_counter()
            with there.database.write() as session:
                job = new_job(session, GUILDS + 1, corpus_id, model_name=f"late{number}")
                there.queue.enqueue_with(session, job)
            took.append(1000 * (time.perf_counter() - begun))
            begun = time.perf_counter()
            with there.database.write() as session:
                session.execute(sa.select(1))
            empty.append(1000 * (time.perf_counter() - begun))
        yield Figure("a job and its turn with 1,000 queued, median", statistics.median(took), "ms")
        yield Figure("the same, p99", statistics.quantiles(took, n=100)[98], "ms", "≤ 50")
        yield Figure("a transaction that does nothing, p99", statistics.quantiles(empty, n=100)[98], "ms")
        for name in ("one", "two"):
            there.worker(name, **QUICK)
        half = GUILDS * JOBS_OF_EACH // 2
        wait_for(lambda: len(_begun(there)) >= half, message=there.said)
        counts = collections.Counter(_begun(there)[:half])
        shares = [counts[guild] for guild in range(1, GUILDS + 1)]
        yield Figure(
            "first half of 1,000 jobs: most / least of a server", max(shares) / min(shares), "", "≤ 1.2"
        )
        yield Figure("turns that ended in an error", there.turns().count("ERROR"), "", "≤ 0")
    finally:
        there.close()


def wait_for(what: Callable[[], object], *, message: Callable[[], str]) -> None:
    """Wait for something, on a machine however busy."""
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        if time.monotonic() > deadline:
            raise RuntimeError(message()[-3000:])
        time.sleep(0.2)


def _begun(there: Installation) -> list[int]:
    with there.database.read() as session:
        chosen = sa.select(TrainingJob.guild_id).where(TrainingJob.started_at.is_not(None))
        return list(session.scalars(chosen.order_by(TrainingJob.started_at)))


def _speed(folder: Path, server: PostgresServer) -> Iterator[Figure]:
    rates = []
    for count in (1, 2):
        there = Installation(
            folder / f"speed{count}", server.new_database(), folder / "bundle", seconds=SPEED_S
        )
        try:
            workers: list[StubWorker] = [there.worker(f"w{n}", **QUICK) for n in range(count)]
            wait_for(lambda: _alive(there) == len(workers), message=there.said)  # noqa: B023
            time.sleep(2)
            begun = time.monotonic()
            ids = [there.ask(guild_id=n + 1) for n in range(SPEED_JOBS)]
            wait_for(
                lambda: all(there.job(job_id, n + 1).state is JobState.DONE for n, job_id in enumerate(ids)),  # noqa: B023
                message=there.said,
            )
            rates.append(SPEED_JOBS / (time.monotonic() - begun))
        finally:
            there.close()
    yield Figure("jobs of two workers / of one", rates[1] / rates[0], "×", "≥ 1.8")


def _alive(there: Installation) -> int:
    from models import hosts

    with there.database.read() as session:
        return len(hosts.living(session))


if __name__ == "__main__":
    missed = 0
    for figure in run():
        verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
        missed += figure.met is False
        print(f"{figure.name:60} {figure.value:8.3g} {figure.unit:3} {figure.bound:8} {verdict}", flush=True)
    sys.exit(1 if missed else 0)
