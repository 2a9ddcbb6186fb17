"""A training as a durable workflow: take the next job, train it, publish the model.

A workflow in the queue is a turn, not a job. Which job it gets is decided when a host is free for it, so that
guilds take turns (`models.training.queue_order`). DBOS records what has been done. If the process dies in a
step, the step runs again when a process of the same name starts: it finds its job by its own id, and the
trainer resumes from its checkpoint.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from dbos import DBOS
from structlog.contextvars import bound_contextvars

from bot.bundles.publishing import publish_bundle
from bot.infra.storage import keys
from bot.infra.storage.errors import Damaged, StorageError
from bot.infra.storage.storage import Storage
from bot.infra.watching.metrics import Failure, Metrics
from bot.settings import Settings
from bot.text import reasons
from bot.training.jobs.progress import Reporter
from bot.training.trainer import safekeeping, workspace
from bot.training.trainer.measured import measured
from bot.training.trainer.process import Stop, TrainingOrder, run_trainer
from models import Corpus, Database, DatabaseError, JobState, TrainingJob, corpora, queue_order, training_jobs
from textgen.files.atomic import is_disk_full

log = structlog.stdlib.get_logger(__name__)

Result = TypeVar("Result")

WORKFLOW = "training"
SLOT_POLL_S = 1.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 15.0
# A training that kills the host's processes must not be retried for ever.
STARTS = 3
NEVER_FURTHER = (
    f"it was started {STARTS} times, was killed each time and never came further; "
    "a smaller size or a shorter text may help"
)


class JobInterrupted(BaseException):
    """The process is shutting down: leave the workflow unfinished, so that it resumes after the next start.

    Not an `Exception`, because DBOS would record that as the workflow's result.
    """


@dataclass
class JobContext:
    """What the steps need. A process has one."""

    settings: Settings
    database: Database
    storage: Storage
    metrics: Metrics = field(default_factory=Metrics)
    stopping: threading.Event = field(default_factory=threading.Event)
    # Recovered workflows run through DBOS's own queue, which does not have the limit of ours.
    slot: threading.Lock = field(default_factory=threading.Lock)

    def check(self) -> None:
        """Check that the process is not shutting down.

        Raises:
            JobInterrupted: it is shutting down.
        """
        if self.stopping.is_set():
            raise JobInterrupted


_context: JobContext | None = None


def bind(context: JobContext | None) -> None:
    """Give the steps what they need, or take it away with None.

    DBOS offers instances of classes for this, but it never unregisters one, so a second worker in the process
    could not replace the first.
    """
    global _context
    _context = context


def _bound() -> JobContext:
    if _context is None:
        raise JobInterrupted
    return _context


@DBOS.workflow(name=WORKFLOW)
def training() -> None:
    """Train the next job and publish the model."""
    trained = train(DBOS.workflow_id or "")
    if trained is not None:
        publish(*trained)


@DBOS.step(name="train")
def train(turn_id: str) -> tuple[int, str, str] | None:
    """Train the next job.

    Returns:
        Guild id, job id and the key of the stored bundle; None if the queue is empty, or if the training was
        cancelled or failed, as the job's row then says.
    """
    context = _bound()
    with _training_slot(context):
        job = recorded(context, lambda: _take(context, turn_id))
        if job is None:
            log.info("nothing waits", turn=turn_id)
            return None
        with bound_contextvars(guild=job.guild_id, job=job.id):
            try:
                if not _train(context, job):
                    return None
                # Before the row, and before this step ends: the next one may run on another host.
                return job.guild_id, job.id, _store(context, job.guild_id, job.id)
            except Exception as error:
                log.error("training failed unexpectedly", guild=job.guild_id, job=job.id, exc_info=error)
                reason = f"the bot could not run the training ({type(error).__name__})"
                _fail(context, job.guild_id, job.id, reasons.DISK_FULL if is_disk_full(error) else reason)
                return None


@DBOS.step(name="publish")
def publish(guild_id: int, job_id: str, stored: str | None = None) -> None:
    """Make the bundle the guild's model of that name and the job done, in one transaction.

    Args:
        guild_id: Discord id of the guild that owns the job.
        job_id: id of the job.
        stored: key of the bundle; None: a version of the bot that stored none trained it, on this host.
    """
    context = _bound()
    storage, bundle = context.storage, context.storage.layout.bundle(guild_id, job_id)
    try:
        key = stored or _store(context, guild_id, job_id)
        recorded(context, lambda: storage.fetch_folder(key, bundle))  # another host may have trained it
        published, replaced = recorded(context, lambda: _publish(context, guild_id, job_id, key))
    except Exception as error:
        log.error("publishing failed unexpectedly", guild=guild_id, job=job_id, exc_info=error)
        reason = f"the model could not be published ({type(error).__name__})"
        _fail(context, guild_id, job_id, reasons.DISK_FULL if is_disk_full(error) else reason)
        return
    if not published:
        log.info("job is no longer wanted", guild=guild_id, job=job_id)
        workspace.clear(storage, guild_id, job_id)
        return
    workspace.clear_training(storage, guild_id, job_id)
    storage.drop_copy(bundle)
    if replaced:
        storage.discard(replaced)
    log.info("model published", guild=guild_id, job=job_id)


def recorded(context: JobContext, record: Callable[[], Result]) -> Result:
    """Run a transaction, and retry it for as long as the database or the storage cannot be used.

    A full disk will have room again, and a server will come back. An exception would end the
    workflow, and its job would stay unfinished for ever.

    Raises:
        JobInterrupted: the process is shutting down; the step runs again after the next start.
    """
    wait_s = FIRST_WAIT_S
    while True:
        try:
            return record()
        except (DatabaseError, StorageError) as error:
            log.warning("not recorded yet", error=str(error), next_try_s=wait_s)
        context.stopping.wait(wait_s)
        context.check()
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)


@contextlib.contextmanager
def _training_slot(context: JobContext) -> Iterator[None]:
    """Wait until no other training runs in this process."""
    context.check()
    while not context.slot.acquire(timeout=SLOT_POLL_S):
        context.check()
    try:
        yield
    finally:
        context.slot.release()


def _train(context: JobContext, job: TrainingJob) -> bool:
    order = TrainingOrder(
        directory=context.storage.layout.training(job.guild_id, job.id),
        bundle=context.storage.layout.bundle(job.guild_id, job.id),
        time_limit_s=job.minutes * 60,
        threads=context.settings.training_threads,
        level=job.level,
        size=job.size,
        base=recorded(context, lambda: workspace.fetch_base(context.storage, job.guild_id, job.id)),
        pretrained=job.pretrained,
        home=context.storage.layout.home,
    )
    if order.bundle.is_dir():
        return True  # the trainer finished, but the process crashed before this step was recorded
    lacking = _lay_out(context, job, order)
    if lacking:
        _fail(context, job.guild_id, job.id, lacking)
        return False
    if workspace.count_start(order) > STARTS:
        log.error("training given up", guild=job.guild_id, job=job.id, starts=STARTS)
        _fail(context, job.guild_id, job.id, NEVER_FURTHER)
        return False
    reporter = Reporter(context.database, job, context.stopping.is_set)
    kept = safekeeping.kept(context.storage, order, job.guild_id, job.id)
    with kept, measured(context.metrics, reporter.take) as run:
        end = run.end = run_trainer(order, on_event=run.take, should_stop=reporter.should_stop)
    if end.finished is not None:
        recorded(context, reporter.end)
        return True
    if end.stopped is Stop.SHUTDOWN:
        raise JobInterrupted
    if end.stopped is Stop.CANCEL:
        log.info("training cancelled", guild=job.guild_id, job=job.id)
        workspace.clear(context.storage, job.guild_id, job.id)
    else:
        log.warning("training failed", guild=job.guild_id, job=job.id, error=end.error)
        _fail(context, job.guild_id, job.id, end.error or "the trainer gave no reason")
    return False


def _lay_out(context: JobContext, job: TrainingJob, order: TrainingOrder) -> str | None:
    """Prepare the trainer's folder; return what is missing, in one line for people, or None."""
    corpus, validation = recorded(context, lambda: _texts(context, job))
    if job.base_model_id is not None and order.base is None:
        return "the copy of the model that it was to go on from is gone; ask for the training again"
    if corpus is None or any(text is not None and text.text_deleted_at for text in (corpus, validation)):
        return "its text has been deleted in the meantime"
    try:
        texts = corpus.path, validation.path if validation else None
        recorded(context, lambda: workspace.lay_out(context.storage, order, *texts))
        recorded(context, lambda: safekeeping.bring_back(context.storage, order, job.guild_id, job.id))
    except FileNotFoundError:
        return "its text is no longer stored; upload it again"
    except Damaged as error:
        log.error("a text is damaged", guild=job.guild_id, job=job.id, reason=str(error))
        return "its text is damaged; upload it again"
    return None


def _texts(context: JobContext, job: TrainingJob) -> tuple[Corpus | None, Corpus | None]:
    with context.database.read() as session:
        return corpora.get(session, job.guild_id, job.corpus_id), (
            None
            if job.validation_corpus_id is None
            else corpora.get(session, job.guild_id, job.validation_corpus_id)
        )


def _publish(context: JobContext, guild_id: int, job_id: str, key: str) -> tuple[bool, str | None]:
    """Publish the model; return whether the job is done now, and the key of the bundle that it replaces."""
    with context.database.write() as session:
        job = training_jobs.get(session, guild_id, job_id, lock=True)
        if job is None or job.state is not JobState.TRAINING:
            # Published before a crash, or cancelled while the last weights were written.
            return job is not None and job.state is JobState.DONE, None
        model, replaced = publish_bundle(
            session,
            guild_id,
            context.storage.layout.bundle(guild_id, job_id),
            name=job.model_name,
            created_by=job.requested_by,
            corpus_id=job.corpus_id,
            training_job_id=job_id,
            stored=key,
        )
        training_jobs.finish(
            session, guild_id, job_id, model_id=model.id, validation_loss=model.validation_loss
        )
        return True, replaced


def _store(context: JobContext, guild_id: int, job_id: str) -> str:
    """Store the finished bundle; return its key."""
    bundle, key = context.storage.layout.bundle(guild_id, job_id), keys.bundle_key(guild_id, job_id)
    return recorded(context, lambda: safekeeping.store_bundle(context.storage, bundle, key))


def _take(context: JobContext, turn_id: str) -> TrainingJob | None:
    with context.database.write() as session:
        return queue_order.take(session, turn_id)


def _fail(context: JobContext, guild_id: int, job_id: str, error: str) -> None:
    # Its files may fill the disk on which the failure must be recorded, so they are deleted first.
    workspace.clear(context.storage, guild_id, job_id)
    context.metrics.failed(Failure.TRAINING)

    def fail() -> None:
        with context.database.write() as session:
            training_jobs.fail(session, guild_id, job_id, error=reasons.for_people(error))

    recorded(context, fail)
