"""The durable queue as the bot sees it: put a job in, and see at start that none was lost.

Speaks to DBOS's tables only; the trainings themselves may run in another process.
"""

import structlog
from dbos import DBOSClient, EnqueueOptions, error

from bot.jobs.workflows import WORKFLOW
from bot.settings import Settings
from models import Database, TrainingJob, training_jobs

log = structlog.stdlib.get_logger(__name__)

APPLICATION = "pastiche"
QUEUE = "trainings"
# Raised when workflows change so that an older process must not run them.
VERSION = "1"
ACTIVE = frozenset({"PENDING", "ENQUEUED", "DELAYED"})


class JobQueue:
    """Enqueues trainings; every method blocks, so call it from a worker thread."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self._client = DBOSClient(
            system_database_url=settings.jobs_database_url, application_name=APPLICATION, lazy=True
        )

    def enqueue(self, job: TrainingJob) -> None:
        """Enqueue the job under its own id: doing so twice is doing so once."""
        options: EnqueueOptions = {
            "queue_name": QUEUE,
            "workflow_name": WORKFLOW,
            "workflow_id": job.id,
            "app_version": VERSION,
        }
        self._client.enqueue(options, job.guild_id, job.id)

    def reconcile(self) -> None:
        """See that every unfinished job has a workflow that will run; a crash may have come between."""
        with self._database.read() as session:
            jobs = training_jobs.unfinished(session)
        for job in jobs:
            status = self._status(job.id)
            if status in ACTIVE:
                continue
            log.warning("job without a living workflow", job=job.id, guild=job.guild_id, workflow=status)
            if status is not None:
                self._client.delete_workflow(job.id)
            self.enqueue(job)

    def close(self) -> None:
        """Close the connections."""
        self._client.destroy()

    def _status(self, job_id: str) -> str | None:
        try:
            return str(self._client.retrieve_workflow(job_id).get_status().status)
        except error.DBOSNonExistentWorkflowError:
            return None
