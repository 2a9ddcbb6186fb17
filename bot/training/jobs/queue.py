"""The bot's side of the durable queue: adds a turn for each job, and at start restores lost ones.

Uses DBOS's tables only; the trainings may run in another process.
"""

from uuid import uuid4

import structlog
from dbos import DBOS, DBOSClient, EnqueueOptions

from bot.settings import Settings
from bot.training.jobs.workflows import WORKFLOW
from models import Database, JobState, TrainingJob, training_jobs

log = structlog.stdlib.get_logger(__name__)

APPLICATION = "pastiche"
QUEUE = "trainings"
# Increment it when workflows change so that an older process must not run them.
VERSION = "3"
ACTIVE = frozenset({"PENDING", "ENQUEUED", "DELAYED"})


class JobQueue:
    """Enqueues trainings; every method blocks, so call it from a worker thread."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self._url = settings.jobs_database_url
        self._client = DBOSClient(
            system_database_url=settings.jobs_database_url, application_name=APPLICATION, lazy=True
        )

    def enqueue(self, job: TrainingJob) -> None:
        """Add a turn for a queued job. Idempotent: the job's id is the workflow id."""
        self._add_turn(job.id)

    def prepare(self) -> None:
        """Create the queue's tables if no worker has done so yet."""
        DBOS.migrate(self._url)

    def reconcile(self) -> None:
        """Add the turns that unfinished jobs lack because of a crash.

        A surplus turn finds an empty queue and ends.
        """
        with self._database.read() as session:
            jobs = training_jobs.unfinished(session)
        alive = {
            workflow.workflow_id
            for workflow in self._client.list_workflows(
                name=WORKFLOW, status=sorted(ACTIVE), app_version=VERSION, load_input=False, load_output=False
            )
        }
        begun = {job.turn_id for job in jobs if job.state is JobState.TRAINING}
        for turn_id in begun - alive - {None}:
            log.warning("training without a living workflow", turn=turn_id)
            self._client.delete_workflow(str(turn_id))
            self._add_turn(str(turn_id))
        waiting = sum(job.state is JobState.QUEUED for job in jobs)
        for _ in range(waiting - len(alive - begun)):
            log.warning("a job waits without a turn")
            self._add_turn(uuid4().hex)

    def look(self) -> None:
        """Return if the queue's database answers; blocks, and raises whatever it says otherwise."""
        self._client.list_workflows(name=WORKFLOW, limit=1, load_input=False, load_output=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.destroy()

    def _add_turn(self, turn_id: str) -> None:
        options: EnqueueOptions = {
            "queue_name": QUEUE,
            "workflow_name": WORKFLOW,
            "workflow_id": turn_id,
            "app_version": VERSION,
        }
        self._client.enqueue(options)
