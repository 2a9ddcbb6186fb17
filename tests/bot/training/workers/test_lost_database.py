"""The database is away for a while: trainings go on, their ends are recorded, and no turn is lost."""

import time
from pathlib import Path

import pytest

from models import DatabaseError, JobState
from tests.support.bot.installation import Installation
from tests.support.bot.processes import wait_for
from tests.support.postgresql import PostgresServer

pytestmark = pytest.mark.slow

AWAY_S = 8.0


def test_a_training_that_ends_in_an_outage_is_published_afterwards(
    own_server: PostgresServer, random_bundle: Path, tmp_path: Path
):
    there = Installation(tmp_path, own_server.new_database(), random_bundle, seconds=3.0)
    try:
        worker = there.worker("one").ready()
        job_id = there.ask()
        later = there.ask(name="Later")
        wait_for(lambda: there.trains(job_id), message=there.said)
        own_server.crash()
        begun = time.monotonic()
        with pytest.raises(DatabaseError):
            there.job(job_id)
        with pytest.raises(DatabaseError):
            there.queue.reconcile(lambda executor: False)
        assert time.monotonic() - begun < 3.0
        time.sleep(AWAY_S)
        own_server.start()
        there.wait_until_done(job_id, later)
        assert worker.end() == 0
        assert set(there.turns()) == {"SUCCESS"}
        assert [there.job(each).attempt for each in (job_id, later)] == [1, 1]
    finally:
        there.close()


def test_a_worker_can_be_ended_while_the_database_is_away(
    own_server: PostgresServer, random_bundle: Path, tmp_path: Path
):
    there = Installation(tmp_path, own_server.new_database(), random_bundle, seconds=60.0)
    try:
        worker = there.worker("one").ready()
        job_id = there.ask()
        wait_for(lambda: there.trains(job_id), message=there.said)
        own_server.crash()
        time.sleep(1)
        assert worker.end() == 0, worker.said()
        assert "Traceback" not in worker.said()
        own_server.start()
        there.seconds = 1.0
        there.worker("two")
        there.wait_until_done(job_id)
        assert there.job(job_id).state is JobState.DONE
    finally:
        there.close()
