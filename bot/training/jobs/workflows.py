"""A training as a durable workflow: take the next job, train it, publish the model.

A workflow in the queue is a turn, not a job. Which job it gets is decided when a host is free for it, so that
guilds take turns (`models.training.queue_order`). DBOS records what has been done. If the process dies in a
step, the step runs again in another process: it finds its job by its own id, and the trainer resumes from its
checkpoint.

Two processes may have the same turn for a while, such as one that was frozen and its successor. Each attempt
has a number, and only the latest may write to the row, publish, or delete what is not its own.
"""

import structlog
from dbos import DBOS
from structlog.contextvars import bound_contextvars

from bot.bundles.publishing import publish_bundle
from bot.infra.storage import keys
from bot.infra.storage.errors import Damaged
from bot.infra.watching.metrics import Failure
from bot.text import reasons
from bot.training.jobs.context import JobContext, JobInterrupted, JobLost, bound, recorded
from bot.training.jobs.progress import Reporter
from bot.training.trainer import safekeeping, workspace
from bot.training.trainer.handover import hand_over
from bot.training.trainer.measured import measured
from bot.training.trainer.process import Stop, TrainingOrder, run_trainer
from models import Corpus, JobState, TrainingJob, corpora, queue_order, training_jobs
from textgen.files.atomic import is_disk_full

log = structlog.stdlib.get_logger(__name__)

WORKFLOW = "training"
# A training that kills the host's processes must not be retried for ever.
STARTS = 3
NEVER_FURTHER = (
    f"it was started {STARTS} times, was killed each time and never came further; "
    "a smaller size or a shorter text may help"
)


@DBOS.workflow(name=WORKFLOW)
def training() -> None:
    """Train the next job and publish the model."""
    context, turn_id = bound(), DBOS.workflow_id or ""
    try:
        trained = train(turn_id)
        if trained is not None:
            publish(*trained)
    except JobLost:
        log.warning("another process has the training", turn=turn_id)
        raise
    finally:
        context.turn_ended(turn_id)


@DBOS.step(name="train")
def train(turn_id: str) -> tuple[int, str, int, str] | None:
    """Train the next job.

    Returns:
        Guild id, job id, attempt, and the key of the stored bundle; None if the queue is empty, or if the
        training was cancelled or failed, as the job's row then says.
    """
    context = bound()
    with context.only_one():
        if context.once and context.first_turn:
            raise JobInterrupted
        job = recorded(context, lambda: _take(context, turn_id))
        if job is None:
            log.info("nothing waits", turn=turn_id)
            return None
        context.first_turn = context.first_turn or turn_id
        with bound_contextvars(guild=job.guild_id, job=job.id):
            try:
                if not _train(context, job):
                    return None
                # Before the row, and before this step ends: the next one may run on another host.
                return job.guild_id, job.id, job.attempt, _store(context, job)
            except Exception as error:
                log.error("training failed unexpectedly", guild=job.guild_id, job=job.id, exc_info=error)
                reason = f"the bot could not run the training ({type(error).__name__})"
                _fail(context, job, reasons.DISK_FULL if is_disk_full(error) else reason)
                return None


@DBOS.step(name="publish")
def publish(guild_id: int, job_id: str, attempt: int, stored: str) -> None:
    """Make the bundle the guild's model of that name and the job done, in one transaction.

    Args:
        guild_id: Discord id of the guild that owns the job.
        job_id: id of the job.
        attempt: number of the attempt that made the bundle.
        stored: key of the bundle.

    Raises:
        JobLost: another process has the training.
    """
    context = bound()
    storage = context.storage
    with context.only_one():
        try:
            job, replaced = recorded(context, lambda: _publish(context, guild_id, job_id, attempt, stored))
        except Exception as error:
            log.error("publishing failed unexpectedly", guild=guild_id, job=job_id, exc_info=error)
            reason = f"the model could not be published ({type(error).__name__})"
            failed = TrainingJob(guild_id=guild_id, id=job_id, attempt=attempt)
            _fail(context, failed, reasons.DISK_FULL if is_disk_full(error) else reason)
            return
    if _is_anothers(job, attempt):
        raise JobLost
    if job is None or job.state is not JobState.DONE:
        log.info("job is no longer wanted", guild=guild_id, job=job_id)
        workspace.clear(storage, guild_id, job_id)
        return
    workspace.clear_training(storage, guild_id, job_id)
    storage.drop_copy(storage.layout.bundle(guild_id, job_id))
    if replaced:
        storage.discard(replaced)
    log.info("model published", guild=guild_id, job=job_id)


def _train(context: JobContext, job: TrainingJob) -> bool:
    storage, layout = context.storage, context.storage.layout
    order = TrainingOrder(
        directory=layout.attempt(job.guild_id, job.id, job.attempt),
        bundle=layout.trained(job.guild_id, job.id, job.attempt),
        time_limit_s=job.minutes * 60,
        threads=context.settings.training_threads,
        level=job.level,
        size=job.size,
        base=recorded(context, lambda: workspace.fetch_base(storage, job.guild_id, job.id)),
        pretrained=job.pretrained,
        home=layout.home,
    )
    hand_over(layout, job.guild_id, job.id, job.attempt, wait=context.wait)
    if order.bundle.is_dir():
        return True  # the trainer finished, but the process crashed before this step was recorded
    lacking = _lay_out(context, job, order)
    if lacking:
        _fail(context, job, lacking)
        return False
    if workspace.count_start(order) > STARTS:
        log.error("training given up", guild=job.guild_id, job=job.id, starts=STARTS)
        _fail(context, job, NEVER_FURTHER)
        return False
    reporter = Reporter(context.database, job, context.stopping.is_set)
    with measured(context.metrics, reporter.take) as run, safekeeping.kept(storage, order, job):
        end = run.end = run_trainer(order, on_event=run.take, should_stop=reporter.should_stop)
    if end.finished is not None:
        recorded(context, reporter.end)
        if reporter.lost:
            raise JobLost
        return True
    if end.stopped is Stop.SHUTDOWN:
        raise JobInterrupted
    if end.stopped is Stop.LOST:
        raise JobLost
    if end.stopped is Stop.CANCEL:
        log.info("training cancelled", guild=job.guild_id, job=job.id)
        workspace.clear(storage, job.guild_id, job.id)
    else:
        log.warning("training failed", guild=job.guild_id, job=job.id, error=end.error)
        _fail(context, job, end.error or "the trainer gave no reason")
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
        recorded(context, lambda: safekeeping.bring_back(context.storage, order, job))
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


def _publish(
    context: JobContext, guild_id: int, job_id: str, attempt: int, stored: str
) -> tuple[TrainingJob | None, str | None]:
    """Publish the model of an attempt, if it is the job's latest.

    Returns:
        The job as it is now, and the path of the bundle that was replaced.
    """
    storage, bundle = context.storage, context.storage.layout.bundle(guild_id, job_id)
    if storage.is_remote:
        storage.fetch_folder(stored, bundle)  # another host may have trained it
    with context.database.write() as session:
        job = training_jobs.get(session, guild_id, job_id, lock=True)
        if job is None or job.state is not JobState.TRAINING or job.attempt != attempt:
            return job, None  # published before a crash, cancelled meanwhile, or begun again elsewhere
        if not storage.is_remote:
            workspace.put_in_place(storage.layout, guild_id, job_id, attempt)
        model, replaced = publish_bundle(
            session,
            guild_id,
            bundle,
            name=job.model_name,
            created_by=job.requested_by,
            corpus_id=job.corpus_id,
            training_job_id=job_id,
            stored=stored,
        )
        done = training_jobs.finish(
            session,
            guild_id,
            job_id,
            attempt=attempt,
            model_id=model.id,
            validation_loss=model.validation_loss,
        )
        return done, replaced


def _store(context: JobContext, job: TrainingJob) -> str:
    """Store the finished bundle; return its key."""
    bundle = context.storage.layout.trained(job.guild_id, job.id, job.attempt)
    key = keys.bundle_key(job.guild_id, job.id)
    return recorded(context, lambda: safekeeping.store_bundle(context.storage, bundle, key))


def _take(context: JobContext, turn_id: str) -> TrainingJob | None:
    with context.database.write() as session:
        return queue_order.take(session, turn_id)


def _fail(context: JobContext, job: TrainingJob, error: str) -> None:
    """Record the failure of an attempt, unless another process has the training.

    Raises:
        JobLost: another process has it.
    """
    # Its files may fill the disk on which the failure must be recorded, so they are deleted first.
    workspace.clear_attempt(context.storage, job.guild_id, job.id, job.attempt)
    context.metrics.failed(Failure.TRAINING)

    def fail() -> TrainingJob | None:
        with context.database.write() as session:
            key = session, job.guild_id, job.id
            why = reasons.for_people(error)
            return training_jobs.fail(*key, attempt=job.attempt, error=why) or training_jobs.get(*key)

    now = recorded(context, fail)
    if _is_anothers(now, job.attempt) or (now is not None and now.state is JobState.DONE):
        raise JobLost
    workspace.clear(context.storage, job.guild_id, job.id)


def _is_anothers(job: TrainingJob | None, attempt: int) -> bool:
    """Whether a later attempt has the job or has ended it: then its files are that one's, too."""
    return job is not None and (job.attempt != attempt or not job.state.is_final)
