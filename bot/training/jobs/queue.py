"""The durable queue seen from outside: adds turns, brings back those that are lost, and cleans up.

Uses DBOS's tables only; the trainings may run in another process. Connection errors are raised instead of
being waited for, because these calls are made in threads that others need.
"""

import datetime
import hashlib
from collections.abc import Callable, Collection, Iterable

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSClient, EnqueueOptions, WorkflowStatus
from sqlalchemy.orm import Session

from bot.settings import Settings
from bot.training.jobs.workflows import WORKFLOW
from models import Database, JobState, TrainingJob, training_jobs
from models.connection.engine import parse_url
from models.connection.errors import one_clear_line

log = structlog.stdlib.get_logger(__name__)

APPLICATION = "pastiche"
QUEUE = "trainings"
# Increment it when workflows change so that an older process must not run them.
VERSION = "4"
WAITING = frozenset({"ENQUEUED", "DELAYED"})
ACTIVE = WAITING | {"PENDING"}
CONNECTIONS = 2
KEPT = datetime.timedelta(days=7)
DELETED_AT_A_TIME = 500


class JobQueue:
    """Enqueues trainings and looks after their turns; every method blocks."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self._url = parse_url(settings.jobs_database_url)
        self._address = settings.jobs_database_url
        # Jobs and turns can then be made in one transaction.
        self._is_shared = self._url.get_backend_name() != "sqlite" and _place(self._url) == _place(
            database.url
        )
        self._client = DBOSClient(
            system_database_url=settings.jobs_database_url,
            application_name=APPLICATION,
            system_database_pool_size=CONNECTIONS,
            retry_connection_errors=False,
            lazy=True,
        )

    def enqueue_with(self, session: Session, job: TrainingJob) -> None:
        """Add the turn of a job in the transaction that inserts it, if both are in one database.

        Elsewhere `enqueue` adds it afterwards, and `reconcile` adds what was lost in between.
        """
        if self._is_shared:
            self._client.enqueue_in_transaction(session, _options(job.id))

    def enqueue(self, job: TrainingJob) -> None:
        """Add a turn for a queued job, if it has none. Idempotent: the job's id is the workflow id.

        Raises:
            DatabaseError: the queue cannot be used now; `reconcile` adds the turn later.
        """
        if not self._is_shared:
            self._add_turn(job.id)

    def prepare(self) -> None:
        """Create the queue's tables if no worker has done so yet.

        Raises:
            DatabaseError: the queue cannot be used.
        """
        with one_clear_line(self._url):
            DBOS.migrate(self._address)

    def reconcile(self, is_dead: Callable[[str], bool]) -> None:
        """Hand back the turns of dead processes, and add the turns that jobs lack because of a crash.

        Any number of processes may do so at a time. A surplus turn finds an empty queue and ends.

        Args:
            is_dead: returns whether the process of that name in the queue is dead.

        Raises:
            DatabaseError: a database cannot be used now.
        """
        with self._database.read() as session:
            jobs = training_jobs.unfinished(session)
        turns = {turn.workflow_id: turn for turn in self._turns(ACTIVE)}
        self._hand_back(turn for turn in turns.values() if turn.executor_id and is_dead(turn.executor_id))
        begun = {job.turn_id for job in jobs if job.state is JobState.TRAINING}
        self._revive(begun - turns.keys() - {None})
        waiting = _waiting(jobs)
        spare = len(turns.keys() - begun)
        if len(waiting) > spare:  # those that waited before and after the look at the turns
            with self._database.read() as session:
                waiting &= _waiting(training_jobs.unfinished(session))
        for job_id in sorted(waiting)[: max(0, len(waiting) - spare)]:
            log.warning("a job waits without a turn")
            # The same id in every process that sees the same turns, so that each adds no turn of its own.
            seen = "".join([job_id, *sorted(turns)])
            self._add_turn(hashlib.sha256(seen.encode()).hexdigest()[:32])

    def hand_back_all(self, executor: str) -> None:
        """Hand back the turns of this process, which is ending.

        Raises:
            DatabaseError: the queue cannot be used now; others do it once they see that this process is dead.
        """
        self._hand_back(turn for turn in self._turns({"PENDING"}) if turn.executor_id == executor)

    def has_work(self, executor: str) -> bool:
        """Return whether a job waits for a worker, or a turn is with this process.

        Raises:
            DatabaseError: a database cannot be used now.
        """
        with self._database.read() as session:
            jobs = training_jobs.unfinished(session)
        if any(job.state is JobState.QUEUED for job in jobs):
            return True
        begun = {job.turn_id for job in jobs}
        return any(
            turn.workflow_id in begun and (turn.status in WAITING or turn.executor_id == executor)
            for turn in self._turns(ACTIVE)
        )

    def prune(self, now: datetime.datetime) -> int:
        """Delete turns that ended more than a week ago, some at a time; return how many.

        Raises:
            DatabaseError: the queue cannot be used now.
        """
        with one_clear_line(self._url):
            old = self._client.list_workflows(
                name=WORKFLOW,
                status=["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
                completed_before=(now - KEPT).isoformat(),
                limit=DELETED_AT_A_TIME,
                load_input=False,
                load_output=False,
            )
            self._client.delete_workflows([turn.workflow_id for turn in old])
        return len(old)

    def look(self) -> None:
        """Return if the queue's database answers; blocks, and raises whatever it says otherwise."""
        self._client.list_workflows(name=WORKFLOW, limit=1, load_input=False, load_output=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.destroy()

    def _turns(self, status: Collection[str], ids: list[str] | None = None) -> list[WorkflowStatus]:
        with one_clear_line(self._url):
            return self._client.list_workflows(
                name=WORKFLOW,
                status=sorted(status),
                workflow_ids=ids,
                app_version=VERSION,
                load_input=False,
                load_output=False,
            )

    def _hand_back(self, turns: Iterable[WorkflowStatus]) -> None:
        for turn in turns:
            # DBOS offers this only to a process that itself runs workflows. It changes the row only if the
            # process named still has the turn, so two observers do not disturb each other.
            with one_clear_line(self._url):
                handed = self._client._sys_db.reenqueue_for_recovery(
                    turn.workflow_id, [str(turn.executor_id)], QUEUE
                )
            if handed:
                log.warning("turn handed back", turn=turn.workflow_id, executor=turn.executor_id)

    def _revive(self, lost: set[str | None]) -> None:
        """Add the turns of running jobs that have none, such as those of an earlier version."""
        if not lost:
            return
        with self._database.read() as session:  # a turn that ended between the two looks is not lost
            begun = {job.turn_id for job in training_jobs.unfinished(session)}
        ids = sorted(str(turn_id) for turn_id in lost & begun)
        alive = {turn.workflow_id for turn in self._turns(ACTIVE, ids)} if ids else set()
        for turn_id in ids:
            if turn_id not in alive:
                log.warning("training without a living workflow", turn=turn_id)
                with one_clear_line(self._url):
                    self._client.delete_workflow(turn_id)
                self._add_turn(turn_id)

    def _add_turn(self, turn_id: str) -> None:
        with one_clear_line(self._url):
            self._client.enqueue(_options(turn_id))


def _waiting(jobs: Iterable[TrainingJob]) -> set[str]:
    return {job.id for job in jobs if job.state is JobState.QUEUED}


def _options(turn_id: str) -> EnqueueOptions:
    return {
        "queue_name": QUEUE,
        "workflow_name": WORKFLOW,
        "workflow_id": turn_id,
        "app_version": VERSION,
    }


def _place(url: sa.URL) -> tuple[object, ...]:
    """Return what two addresses of one database have in common; users may differ."""
    return url.host, url.port or 5432, url.database, url.query.get("host")
