"""Workers on PostgreSQL: one job and no more, least rights, no token; jobs with their turns or neither."""

import re
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from models import JobState
from tests.support.bot.installation import Installation
from tests.support.bot.processes import wait_for
from tests.support.postgresql import PostgresServer
from tests.support.rows import new_job

PAGE = Path(__file__).parents[4] / "docs" / "postgresql.md"


def test_a_job_and_its_turn_are_stored_together_or_not_at_all(there: Installation):
    def refuse(session: Session) -> None:
        there.queue.enqueue_with(session, new_job(session, 11))
        raise LookupError

    with pytest.raises(LookupError), there.database.write() as session:
        refuse(session)
    assert there.turns() == []
    job_id = there.ask()
    assert there.turns() == ["ENQUEUED"]
    there.queue.reconcile(lambda executor: True)
    assert there.turns() == ["ENQUEUED"], "nothing lacks"
    assert there.job(job_id).state is JobState.QUEUED


def test_a_turn_that_was_lost_is_added_once_however_many_look(there: Installation):
    job_id = there.ask()
    there.queue._client.delete_workflow(job_id)
    for _ in range(3):
        there.queue.reconcile(lambda executor: False)
    assert there.turns() == ["ENQUEUED"]


def test_a_turn_is_handed_back_only_while_the_dead_process_still_has_it(
    there: Installation, postgresql_server: PostgresServer
):
    job_id = there.ask()
    database = str(there.database.url.database)

    def give_to(executor: str) -> None:
        given = f"UPDATE dbos.workflow_status SET status = 'PENDING', executor_id = '{executor}'"  # noqa: S608
        postgresql_server.run(given, database=database)

    give_to("worker-alive:1")
    there.queue.reconcile(lambda executor: executor == "worker-dead:1")
    assert there.turns() == ["PENDING"]
    system = there.queue._client._sys_db
    assert not system.reenqueue_for_recovery(job_id, ["worker-dead:1"], "trainings"), "another one has it"
    give_to("worker-dead:1")
    there.queue.reconcile(lambda executor: executor == "worker-dead:1")
    assert there.turns() == ["ENQUEUED"]
    give_to("worker-ending:1")
    there.queue.hand_back_all("worker-ending:1")
    assert there.turns() == ["ENQUEUED"]


def test_turns_are_deleted_a_week_after_their_end(there: Installation):
    job_id = there.ask()
    there.queue._client.cancel_workflow(job_id)
    now = there.job(job_id).created_at
    assert there.queue.prune(now) == 0
    assert there.queue.prune(now.replace(year=now.year + 1)) == 1
    assert there.turns() == []


@pytest.mark.slow
def test_a_worker_that_takes_one_job_takes_one_and_ends(there: Installation):
    first, second = there.ask(name="One"), there.ask(name="Two")
    once = there.worker("once", "--once")
    assert once.process.wait(180) == 0, there.said()
    assert once.said().splitlines()[-1] == "one job is done"
    assert there.job(first).state is JobState.DONE
    assert (there.job(second).state, there.job(second).attempt) == (JobState.QUEUED, 0)
    assert there.worker("again", "--once").process.wait(180) == 0
    there.wait_until_done(second)
    idle = there.worker("idle", "--once")
    assert idle.process.wait(180) == 0
    assert idle.said().splitlines()[-1] == "no job waits"


@pytest.mark.slow
def test_a_role_with_the_rights_that_the_page_names_can_work(
    there: Installation, postgresql_server: PostgresServer
):
    (statements,) = re.findall(r"```sql\n(GRANT .*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    role = f"worker_{there.database.url.database}"
    database = str(there.database.url.database)
    granted = statements.replace("TO worker;", f"TO {role};")
    postgresql_server.run(f"CREATE ROLE {role} LOGIN", granted, database=database)
    job_id = there.ask()
    worker = there.worker("least", DATABASE_URL=postgresql_server.url(database, user=role))
    there.wait_until_done(job_id)
    assert worker.end() == 0
    assert "permission denied" not in worker.said()


@pytest.mark.slow
def test_a_worker_names_itself_after_its_gpu(there: Installation):
    worker = there.worker("box", CUDA_VISIBLE_DEVICES="0,1").ready()
    assert "executor=worker-box-gpu0-1:1 " in worker.said()
    assert worker.end() == 0


@pytest.mark.slow
def test_a_queue_of_another_project_is_refused_in_one_line(
    there: Installation, postgresql_server: PostgresServer
):
    database = str(there.database.url.database)
    there.ask()
    first = there.worker("first").ready()
    first.end()
    postgresql_server.run("UPDATE dbos.queues SET application_name = 'another'", database=database)
    worker = there.worker("stranger")
    wait_for(lambda: worker.process.poll() is not None, message=worker.said)
    assert worker.process.returncode == 1
    last = worker.said().splitlines()[-1]
    assert last.startswith("error: the job queue cannot be used (")
    assert "another" in last
    assert "Traceback" not in worker.said()
