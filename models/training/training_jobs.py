"""The life of a training: queued, training, then done, failed or cancelled, and never back.

Each step is one conditional UPDATE, so that of two that race only the first happens. A step that came too
late, or names a job the guild does not have, returns None and changes nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.tables import UNFINISHED, JobState, TrainingJob, utc_now
from models.training.names import clean_name


def enqueue(
    session: Session,
    guild_id: int,
    *,
    channel_id: int,
    requested_by: int,
    corpus_id: int,
    model_name: str,
    minutes: float,
    message_id: int | None = None,
    level: str = "char",
    size: str | None = None,
    validation_corpus_id: int | None = None,
    base_model_id: int | None = None,
    notes: str = "",
) -> TrainingJob:
    """Record a training somebody asked for.

    Args:
        session: a writing one.
        guild_id: whose training it is.
        channel_id: where its card is.
        requested_by: Discord id of the user.
        corpus_id: one of the guild's corpora.
        model_name: what the model will be called.
        minutes: how long it may train, wall clock.
        message_id: the card, where there is one already.
        level: what a token is.
        size: the preset; None leaves it to the trainer.
        validation_corpus_id: another of the guild's corpora, to measure the loss on.
        base_model_id: one of the guild's models, to go on from.
        notes: what the person should know of the corpus, one line each.

    Raises:
        InvalidNameError: no model can have this name.
        sqlalchemy.exc.IntegrityError: a corpus or the base is not one of this guild's, or no minutes.
    """
    job = TrainingJob(
        id=uuid4().hex,
        guild_id=guild_id,
        channel_id=channel_id,
        message_id=message_id,
        requested_by=requested_by,
        corpus_id=corpus_id,
        model_name=clean_name(model_name),
        minutes=minutes,
        level=level,
        size=size,
        validation_corpus_id=validation_corpus_id,
        base_model_id=base_model_id,
        notes=notes,
    )
    session.add(job)
    session.flush()
    return job


def get(session: Session, guild_id: int, job_id: str, *, lock: bool = False) -> TrainingJob | None:
    """Return one of the guild's jobs; None where the id is absent or another guild's.

    With ``lock`` nobody else moves the job before this (writing) transaction ends: look at its state, publish
    the model and `finish` it, all or nothing.
    """
    chosen = sa.select(TrainingJob).where(TrainingJob.guild_id == guild_id, TrainingJob.id == job_id)
    return session.scalar(chosen.with_for_update() if lock else chosen)


def listing(session: Session, guild_id: int) -> Sequence[TrainingJob]:
    """Return the guild's queued and running jobs, the oldest first."""
    chosen = sa.select(TrainingJob).where(TrainingJob.guild_id == guild_id, TrainingJob.state.in_(UNFINISHED))
    return session.scalars(chosen.order_by(TrainingJob.created_at, TrainingJob.id)).all()


def recent(session: Session, guild_id: int, limit: int = 5) -> Sequence[TrainingJob]:
    """Return the guild's ended jobs, the newest end first."""
    ended = sa.select(TrainingJob).where(
        TrainingJob.guild_id == guild_id, TrainingJob.state.not_in(UNFINISHED)
    )
    return session.scalars(ended.order_by(TrainingJob.finished_at.desc(), TrainingJob.id).limit(limit)).all()


def asked_since(session: Session, guild_id: int, since: datetime) -> Sequence[datetime]:
    """Return when the guild asked for trainings, the oldest first; not those cancelled while they waited."""
    never_begun = (TrainingJob.state == JobState.CANCELLED) & TrainingJob.started_at.is_(None)
    chosen = sa.select(TrainingJob.created_at).where(
        TrainingJob.guild_id == guild_id, TrainingJob.created_at > since, ~never_begun
    )
    return session.scalars(chosen.order_by(TrainingJob.created_at)).all()


def unfinished(session: Session) -> Sequence[TrainingJob]:
    """Return every guild's queued and running jobs, the oldest first: the system's own, for recovery."""
    chosen = sa.select(TrainingJob).where(TrainingJob.state.in_(UNFINISHED))
    return session.scalars(chosen.order_by(TrainingJob.created_at, TrainingJob.id)).all()


def changed_cards(
    session: Session, limit: int = 50, *, without: Collection[int] = ()
) -> Sequence[TrainingJob]:
    """Return every guild's jobs whose card is out of date, longest unchanged first: the system's own.

    Every channel's first come before any channel's second, so that one with many keeps no other waiting.

    Args:
        session: any.
        limit: how many at most.
        without: channels to leave out.
    """
    turn = sa.func.row_number().over(
        partition_by=TrainingJob.channel_id, order_by=(TrainingJob.updated_at, TrainingJob.id)
    )
    changed = (TrainingJob.shown_revision < TrainingJob.revision, TrainingJob.channel_id.not_in(without))
    turns = sa.select(TrainingJob.id, turn.label("turn")).where(*changed).subquery()
    chosen = sa.select(TrainingJob).join(turns, turns.c.id == TrainingJob.id)
    return session.scalars(
        chosen.order_by(turns.c.turn, TrainingJob.updated_at, TrainingJob.id).limit(limit)
    ).all()


def card_shown(
    session: Session, guild_id: int, job_id: str, revision: int, message_id: int | None = None
) -> None:
    """Record that the card shows this revision, and which message it now is if that changed."""
    session.execute(
        sa.update(TrainingJob)
        .where(
            TrainingJob.guild_id == guild_id, TrainingJob.id == job_id, TrainingJob.shown_revision <= revision
        )
        .values(
            shown_revision=revision,
            message_id=sa.func.coalesce(sa.literal(message_id), TrainingJob.message_id),
        )
    )


def start(session: Session, guild_id: int, job_id: str, turn_id: str | None = None) -> TrainingJob | None:
    """Begin training a job that waits; of two that try it at once one gets it.

    Args:
        session: a writing one.
        guild_id: whose job it is.
        job_id: which.
        turn_id: of the workflow that trains it.
    """
    return _move(
        session,
        guild_id,
        job_id,
        {JobState.QUEUED},
        state=JobState.TRAINING,
        turn_id=turn_id,
        started_at=utc_now(),
    )


def of_turn(session: Session, turn_id: str) -> TrainingJob | None:
    """Return the running job that a workflow began before it was interrupted: the system's own."""
    chosen = sa.select(TrainingJob).where(
        TrainingJob.turn_id == turn_id, TrainingJob.state == JobState.TRAINING
    )
    return session.scalars(chosen).one_or_none()


def request_finish(session: Session, guild_id: int, job_id: str) -> TrainingJob | None:
    """Ask for the best model so far of a running training."""
    return _move(session, guild_id, job_id, {JobState.TRAINING}, finish_requested=True)


def progress(
    session: Session,
    guild_id: int,
    job_id: str,
    *,
    fraction: float | None = None,
    loss: float | None = None,
    eta_s: float | None = None,
    sample: str | None = None,
    samples: str | None = None,
    curve: str | None = None,
    notes: str | None = None,
) -> TrainingJob | None:
    """Record how far a running training is; what is not given stays.

    Args:
        session: a writing one.
        guild_id: whose job it is.
        job_id: which.
        fraction: 0 to 1.
        loss: of training, nats per token.
        eta_s: seconds to go.
        sample: what the model writes by now.
        samples: what it wrote at fixed points, as the table keeps it.
        curve: losses over time, as the table keeps them.
        notes: what people should know, one line each.

    Raises:
        sqlalchemy.exc.IntegrityError: the fraction is none.
    """
    news = {"fraction": fraction, "loss": loss, "eta_s": eta_s, "sample": sample}
    news |= {"samples": samples, "curve": curve, "notes": notes}
    given = {column: value for column, value in news.items() if value is not None}
    return _move(session, guild_id, job_id, {JobState.TRAINING}, **given)


def finish(
    session: Session, guild_id: int, job_id: str, *, model_id: int, validation_loss: float | None
) -> TrainingJob | None:
    """Record that a running training made this model of the guild.

    Where this returns None (it was cancelled meanwhile), roll back what the same transaction published.

    Raises:
        sqlalchemy.exc.IntegrityError: the model is not one of this guild's.
    """
    return _move(
        session,
        guild_id,
        job_id,
        {JobState.TRAINING},
        state=JobState.DONE,
        fraction=1.0,
        eta_s=None,
        model_id=model_id,
        validation_loss=validation_loss,
        finished_at=utc_now(),
    )


def fail(session: Session, guild_id: int, job_id: str, *, error: str) -> TrainingJob | None:
    """Record why there will be no model: one line for the person who asked."""
    return _move(
        session,
        guild_id,
        job_id,
        UNFINISHED,
        state=JobState.FAILED,
        error=error,
        eta_s=None,
        finished_at=utc_now(),
    )


def cancel(session: Session, guild_id: int, job_id: str) -> TrainingJob | None:
    """Record that somebody called it off."""
    return _move(
        session, guild_id, job_id, UNFINISHED, state=JobState.CANCELLED, eta_s=None, finished_at=utc_now()
    )


def cancel_all(session: Session, guild_id: int) -> Sequence[TrainingJob]:
    """Call off all that the guild has queued or running: the bot is no longer there."""
    cancelled = [cancel(session, guild_id, job.id) for job in listing(session, guild_id)]
    return [job for job in cancelled if job is not None]


def _move(
    session: Session, guild_id: int, job_id: str, allowed: frozenset[JobState] | set[JobState], **values: Any
) -> TrainingJob | None:
    change = (
        sa.update(TrainingJob)
        .where(TrainingJob.guild_id == guild_id, TrainingJob.id == job_id, TrainingJob.state.in_(allowed))
        .values(updated_at=utc_now(), revision=TrainingJob.revision + 1, **values)
        .returning(TrainingJob)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return session.scalars(change).one_or_none()
