"""A training as a durable workflow: train, then publish.

DBOS keeps what has been done. If the process dies in a step, the step is run again when a process of the
same name starts, and the trainer goes on from its checkpoint.
"""

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from dbos import DBOS

from bot.jobs.publishing import publish_bundle
from bot.jobs.trainer import Stop, TrainingOrder, checkpoint_of, run_trainer
from bot.layout import Layout
from bot.settings import Settings
from models import Database, DatabaseError, JobState, corpora, training_jobs

log = structlog.stdlib.get_logger(__name__)

WORKFLOW = "training"
REPORT_EVERY_S = 1.0
SAMPLE_CHARACTERS = 1000


class JobInterrupted(BaseException):
    """The process is shutting down: leave the workflow unfinished, to be gone on with after the next start.

    Not an `Exception`, because DBOS records an exception as the workflow's result.
    """


@dataclass
class JobContext:
    """What the steps need; one process has one."""

    settings: Settings
    database: Database
    layout: Layout
    stopping: threading.Event = field(default_factory=threading.Event)
    # Recovered workflows come through DBOS's own queue, past the limit of ours.
    slot: threading.Lock = field(default_factory=threading.Lock)

    def check(self) -> None:
        """Leave the step if the process is shutting down.

        Raises:
            JobInterrupted: it is.
        """
        if self.stopping.is_set():
            raise JobInterrupted


_context: JobContext | None = None


def bind(context: JobContext | None) -> None:
    """Give the steps what they need; DBOS knows them as functions of this module."""
    global _context
    _context = context


def _bound() -> JobContext:
    if _context is None:
        raise JobInterrupted
    return _context


@DBOS.workflow(name=WORKFLOW)
def training(guild_id: int, job_id: str) -> None:
    """Train a queued job's corpus and publish the model."""
    if train(guild_id, job_id):
        publish(guild_id, job_id)


@DBOS.step(name="train")
def train(guild_id: int, job_id: str) -> bool:
    """Run the trainer; False where it was cancelled or failed, which the job's row then says."""
    context = _bound()
    with _training_slot(context):
        try:
            return _train(context, guild_id, job_id)
        except Exception as error:
            log.error("training failed unexpectedly", guild=guild_id, job=job_id, exc_info=error)
            _fail(context, guild_id, job_id, f"the bot could not run the training ({type(error).__name__})")
            return False


@DBOS.step(name="publish")
def publish(guild_id: int, job_id: str) -> None:
    """Make the bundle the guild's model of that name and the job done, in one transaction."""
    context = _bound()
    bundle = context.layout.bundle(guild_id, job_id)
    try:
        replaced = _publish(context, guild_id, job_id, bundle)
    except Exception as error:
        log.error("publishing failed unexpectedly", guild=guild_id, job=job_id, exc_info=error)
        _fail(context, guild_id, job_id, f"the model could not be published ({type(error).__name__})")
        return
    shutil.rmtree(context.layout.training(guild_id, job_id), ignore_errors=True)
    if replaced:
        shutil.rmtree(replaced, ignore_errors=True)
    log.info("model published", guild=guild_id, job=job_id)


@contextlib.contextmanager
def _training_slot(context: JobContext) -> Iterator[None]:
    """One training at a time in this process."""
    context.check()
    while not context.slot.acquire(timeout=REPORT_EVERY_S):
        context.check()
    try:
        yield
    finally:
        context.slot.release()


def _train(context: JobContext, guild_id: int, job_id: str) -> bool:
    context.check()
    with context.database.write() as session:
        job = training_jobs.start(session, guild_id, job_id)
        corpus = corpora.get(session, guild_id, job.corpus_id) if job else None
    if job is None or corpus is None:
        log.info("job is no longer wanted", guild=guild_id, job=job_id)
        return False
    order = TrainingOrder(
        directory=context.layout.training(guild_id, job_id),
        bundle=context.layout.bundle(guild_id, job_id),
        time_limit_s=job.minutes * 60,
        threads=context.settings.training_threads,
    )
    if order.bundle.is_dir():
        return True  # finished before a crash came between the trainer and this step's record
    _lay_out(order, Path(corpus.path))
    reporter = _Reporter(context, guild_id, job_id)
    end = run_trainer(order, on_event=reporter.take, should_stop=reporter.should_stop)
    if end.finished is not None:
        return True
    if end.stopped is Stop.SHUTDOWN:
        raise JobInterrupted
    if end.stopped is Stop.CANCEL:
        log.info("training cancelled", guild=guild_id, job=job_id)
        _clear(context, guild_id, job_id)
    else:
        log.warning("training failed", guild=guild_id, job=job_id, error=end.error)
        _fail(context, guild_id, job_id, end.error or "the trainer gave no reason")
    return False


class _Reporter:
    """Brings the trainer's events to the job's row, at most once a second, and watches for a cancel."""

    def __init__(self, context: JobContext, guild_id: int, job_id: str) -> None:
        self._context = context
        self._guild_id = guild_id
        self._job_id = job_id
        self._news: dict[str, Any] = {}
        self._reported = 0.0
        self._cancelled = False

    def take(self, event: dict[str, Any]) -> None:
        """Remember what the event says."""
        kind = event["event"]
        if kind == "started":
            log.info("training started", guild=self._guild_id, job=self._job_id, resumed=event["resumed"])
        elif kind == "progress":
            news = {name: event.get(name) for name in ("fraction", "loss", "eta_s")}
            self._news |= {name: value for name, value in news.items() if value is not None}
        elif kind == "sample":
            self._news["sample"] = event["text"][:SAMPLE_CHARACTERS]

    def should_stop(self) -> Stop | None:
        """Report if it is time to, and say whether the training is still wanted."""
        try:
            self._context.check()
        except JobInterrupted:
            return Stop.SHUTDOWN
        if time.monotonic() - self._reported >= REPORT_EVERY_S:
            self._reported = time.monotonic()
            try:
                self._cancelled = not self._report()
            except DatabaseError as error:  # the training is worth more than one report of it
                log.warning("progress not reported", job=self._job_id, error=str(error))
        return Stop.CANCEL if self._cancelled else None

    def _report(self) -> bool:
        news, self._news = self._news, {}
        if not news:
            with self._context.database.read() as session:
                job = training_jobs.get(session, self._guild_id, self._job_id)
                return job is not None and job.state is JobState.TRAINING
        with self._context.database.write() as session:
            return training_jobs.progress(session, self._guild_id, self._job_id, **news) is not None


def _lay_out(order: TrainingOrder, corpus: Path) -> None:
    """Put the corpus where the trainer reads it, under its name, without a second copy where links work."""
    order.directory.mkdir(parents=True, exist_ok=True)
    order.bundle.parent.mkdir(parents=True, exist_ok=True)
    target = order.directory / "input.txt"
    if target.exists():
        return
    try:
        os.link(corpus, target)
    except OSError:
        partial = target.with_suffix(".partial")
        shutil.copyfile(corpus, partial)
        partial.replace(target)


def _publish(context: JobContext, guild_id: int, job_id: str, bundle: Path) -> str | None:
    with context.database.write() as session:
        job = training_jobs.get(session, guild_id, job_id, lock=True)
        if job is None or job.state is not JobState.TRAINING:
            return None  # published before a crash came between, or cancelled
        model, replaced = publish_bundle(
            session,
            guild_id,
            bundle,
            name=job.model_name,
            created_by=job.requested_by,
            corpus_id=job.corpus_id,
            training_job_id=job_id,
        )
        training_jobs.finish(
            session, guild_id, job_id, model_id=model.id, validation_loss=model.validation_loss
        )
        return replaced


def _fail(context: JobContext, guild_id: int, job_id: str, error: str) -> None:
    with context.database.write() as session:
        training_jobs.fail(session, guild_id, job_id, error=error)
    _clear(context, guild_id, job_id)


def _clear(context: JobContext, guild_id: int, job_id: str) -> None:
    """Remove what a job that made no model leaves behind."""
    bundle = context.layout.bundle(guild_id, job_id)
    for folder in (bundle, checkpoint_of(bundle), context.layout.training(guild_id, job_id)):
        shutil.rmtree(folder, ignore_errors=True)
