"""The life of a training: queued, training, then done, failed or cancelled, and never back.

Each step is one conditional UPDATE, so that only the first of two concurrent steps happens. A step returns
None and changes nothing if it comes too late, or if the guild has no such job.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NotRequired, TypedDict, Unpack
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.changes import change_row, insert_row
from models.tables import UNFINISHED, JobState, TrainingJob, utc_now
from models.training.changed_cards import changed_cards as changed_cards
from models.training.names import clean_name


class TrainingValues(TypedDict):
    """What somebody asks for.

    Attributes:
        channel_id: Discord id of the channel of its card.
        requested_by: Discord id of the person who asked for it.
        corpus_id: id of one of the guild's corpora.
        model_name: name of the model, 1 to 100 characters.
        minutes: time limit by the wall clock, in minutes, above 0.
        level: what a token is: ``char`` (the default), ``word`` or ``subword``.
        size: preset of the network; None leaves it to the trainer.
        validation_corpus_id: another of the guild's corpora, to measure the loss on.
        base_model_id: id of one of the guild's models, to train further.
        pretrained: name of a pretrained base of the host, to fine-tune.
        notes: notes about the corpus for the person, one a line.
    """

    channel_id: int
    requested_by: int
    corpus_id: int
    model_name: str
    minutes: float
    level: NotRequired[str]
    size: NotRequired[str | None]
    validation_corpus_id: NotRequired[int | None]
    base_model_id: NotRequired[int | None]
    pretrained: NotRequired[str | None]
    notes: NotRequired[str]


def enqueue(session: Session, guild_id: int, **values: Unpack[TrainingValues]) -> TrainingJob:
    """Insert a training that somebody asked for.

    Args:
        session: an open SQLAlchemy session that may write.
        guild_id: Discord id of the guild that owns the training.
        **values: what they ask for.

    Raises:
        InvalidNameError: no model can have this name.
        sqlalchemy.exc.IntegrityError: a corpus or the base is not this guild's, or `minutes` is not above 0.
    """
    values["model_name"] = clean_name(values["model_name"])
    return insert_row(session, TrainingJob(id=uuid4().hex, guild_id=guild_id, **values))


def get(session: Session, guild_id: int, job_id: str, *, lock: bool = False) -> TrainingJob | None:
    """Return one of the guild's jobs; None where the id is absent or another guild's.

    With ``lock`` nobody else changes the job until this (writing) transaction ends: check its state, publish
    the model and `finish` the job, all or nothing.
    """
    chosen = sa.select(TrainingJob).where(*_of(guild_id, job_id))
    return session.scalar(chosen.with_for_update() if lock else chosen)


def listing(session: Session, guild_id: int) -> Sequence[TrainingJob]:
    """Return the guild's queued and running jobs, the oldest first."""
    chosen = sa.select(TrainingJob).where(TrainingJob.guild_id == guild_id, TrainingJob.state.in_(UNFINISHED))
    return session.scalars(chosen.order_by(TrainingJob.created_at, TrainingJob.id)).all()


def recent(session: Session, guild_id: int, limit: int = 5) -> Sequence[TrainingJob]:
    """Return the guild's ended jobs, the last to end first."""
    ended = sa.select(TrainingJob).where(
        TrainingJob.guild_id == guild_id, TrainingJob.state.not_in(UNFINISHED)
    )
    return session.scalars(ended.order_by(TrainingJob.finished_at.desc(), TrainingJob.id).limit(limit)).all()


def asked_since(session: Session, guild_id: int, since: datetime) -> Sequence[datetime]:
    """Return when the guild asked for trainings, the oldest first, without those cancelled in the queue."""
    never_begun = (TrainingJob.state == JobState.CANCELLED) & TrainingJob.started_at.is_(None)
    chosen = sa.select(TrainingJob.created_at).where(
        TrainingJob.guild_id == guild_id, TrainingJob.created_at > since, ~never_begun
    )
    return session.scalars(chosen.order_by(TrainingJob.created_at)).all()


def unfinished(session: Session) -> Sequence[TrainingJob]:
    """Return every guild's queued and running jobs, the oldest first, for the bot itself."""
    chosen = sa.select(TrainingJob).where(TrainingJob.state.in_(UNFINISHED))
    return session.scalars(chosen.order_by(TrainingJob.created_at, TrainingJob.id)).all()


def standing(session: Session) -> dict[JobState, tuple[int, datetime]]:
    """Return how many jobs of all guilds are queued and running, and when the oldest was asked for."""
    chosen = (
        sa.select(TrainingJob.state, sa.func.count(), sa.func.min(TrainingJob.created_at))
        .where(TrainingJob.state.in_(UNFINISHED))
        .group_by(TrainingJob.state)
    )
    return {state: (jobs, oldest) for state, jobs, oldest in session.execute(chosen)}


def card_shown(
    session: Session, guild_id: int, job_id: str, revision: int, message_id: int | None = None
) -> None:
    """Record that the card shows this revision, and the id of its message if that is new."""
    session.execute(
        sa.update(TrainingJob)
        .where(*_of(guild_id, job_id), TrainingJob.shown_revision <= revision)
        .values(
            shown_revision=revision,
            message_id=sa.func.coalesce(sa.literal(message_id), TrainingJob.message_id),
        )
    )


def start(session: Session, guild_id: int, job_id: str, turn_id: str | None = None) -> TrainingJob | None:
    """Begin to train a queued job; of two concurrent attempts one gets it.

    Args:
        session: an open SQLAlchemy session that may write.
        guild_id: Discord id of the guild that owns the job.
        job_id: id of the job, 32 hexadecimal digits.
        turn_id: id of the workflow that trains it, up to 36 characters.
    """
    return _move(
        session,
        guild_id,
        job_id,
        {JobState.QUEUED},
        state=JobState.TRAINING,
        turn_id=turn_id,
        attempt=TrainingJob.attempt + 1,
        started_at=utc_now(),
    )


def request_finish(session: Session, guild_id: int, job_id: str) -> TrainingJob | None:
    """Ask for the best model so far of a running training."""
    return _move(session, guild_id, job_id, {JobState.TRAINING}, finish_requested=True)


class ProgressValues(TypedDict, total=False):
    """How far a running training is; None and what is not given stay as they were.

    Attributes:
        fraction: 0 to 1.
        loss: training loss, in nats per token.
        eta_s: seconds to go.
        sample: a text that the model writes now.
        samples: texts from fixed points of the training, as JSON (see the table).
        curve: losses over time, as the table keeps them.
        notes: notes for people, one a line.
    """

    fraction: float | None
    loss: float | None
    eta_s: float | None
    sample: str | None
    samples: str | None
    curve: str | None
    notes: str | None


def progress(
    session: Session, guild_id: int, job_id: str, *, attempt: int, **values: Unpack[ProgressValues]
) -> TrainingJob | None:
    """Record how far a running training is.

    Args:
        session: an open SQLAlchemy session that may write.
        guild_id: Discord id of the guild that owns the job.
        job_id: id of the job, 32 hexadecimal digits.
        attempt: the caller's attempt; if there is a later one, nothing changes.
        **values: what is known anew.

    Raises:
        sqlalchemy.exc.IntegrityError: the fraction is none.
    """
    given = {column: value for column, value in values.items() if value is not None}
    return _move(session, guild_id, job_id, {JobState.TRAINING}, of_attempt=attempt, **given)


def finish(
    session: Session,
    guild_id: int,
    job_id: str,
    *,
    attempt: int,
    model_id: int,
    validation_loss: float | None,
) -> TrainingJob | None:
    """Record that an attempt of a running training made this model of the guild.

    If this returns None, the job was cancelled or began again meanwhile: roll back the model published in
    this transaction.

    Raises:
        sqlalchemy.exc.IntegrityError: the model is not one of this guild's.
    """
    return _move(
        session,
        guild_id,
        job_id,
        {JobState.TRAINING},
        of_attempt=attempt,
        state=JobState.DONE,
        fraction=1.0,
        eta_s=None,
        model_id=model_id,
        validation_loss=validation_loss,
        finished_at=utc_now(),
    )


def fail(session: Session, guild_id: int, job_id: str, *, attempt: int, error: str) -> TrainingJob | None:
    """Record why an attempt makes no model, in one line for the person who asked."""
    return _move(
        session,
        guild_id,
        job_id,
        UNFINISHED,
        of_attempt=attempt,
        state=JobState.FAILED,
        error=error,
        eta_s=None,
        finished_at=utc_now(),
    )


def cancel(session: Session, guild_id: int, job_id: str) -> TrainingJob | None:
    """Record that somebody cancelled the job."""
    return _move(
        session, guild_id, job_id, UNFINISHED, state=JobState.CANCELLED, eta_s=None, finished_at=utc_now()
    )


def cancel_all(session: Session, guild_id: int, user_id: int | None = None) -> Sequence[TrainingJob]:
    """Cancel all queued and running jobs of the guild, or those of a person, and return them."""
    jobs = [job for job in listing(session, guild_id) if user_id in (None, job.requested_by)]
    cancelled = [cancel(session, guild_id, job.id) for job in jobs]
    return [job for job in cancelled if job is not None]


def _of(guild_id: int, job_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return TrainingJob.guild_id == guild_id, TrainingJob.id == job_id


def _move(
    session: Session,
    guild_id: int,
    job_id: str,
    allowed: frozenset[JobState] | set[JobState],
    *,
    of_attempt: int | None = None,
    **values: Any,
) -> TrainingJob | None:
    expected = [] if of_attempt is None else [TrainingJob.attempt == of_attempt]
    return change_row(
        session,
        TrainingJob,
        *_of(guild_id, job_id),
        TrainingJob.state.in_(allowed),
        *expected,
        updated_at=utc_now(),
        revision=TrainingJob.revision + 1,
        **values,
    )
