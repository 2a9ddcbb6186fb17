"""The durable queue as the bot sees it: add a turn for a job, and see at start that none was lost.

Speaks to DBOS's tables only; the trainings themselves may run in another process.
"""

from uuid import uuid4

import structlog
from dbos import DBOS, DBOSClient, EnqueueOptions

from bot.infra.settings import Settings
from bot.training.jobs.workflows import WORKFLOW
from models import Database, JobState, TrainingJob, training_jobs

log = structlog.stdlib.get_logger(__name__)

APPLICATION = "pastiche"
QUEUE = "trainings"
# Raised when workflows change so that an older process must not run them.
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
        """Add a turn for a job that waits now, under the job's id: doing so twice is doing so once."""
        self._add_turn(job.id)

    def prepare(self) -> None:
        """Make the queue's tables where no process that trains has been yet."""
        DBOS.migrate(self._url)

    def reconcile(self) -> None:
        """See that every unfinished job will be trained; a crash may have come between.

        A turn too many finds nothing to do and ends.
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
