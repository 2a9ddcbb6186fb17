"""What the tables hold of a guild, or of a person in it. The tables themselves tell where to look.

A table that belongs to guilds has a column ``guild_id``. A column that holds a person's Discord id is named
``…_by``, ``actor_id`` or ``user_id``. So a new table is counted, exported and deleted without a change here;
a test checks that its columns have these names.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.tables import AuditEvent, Corpus, JobState, TextModel, TrainingJob, guild_tables
from models.training import training_jobs

DELETED_PERSON = 0
"""Replaces the id of a person who had their data deleted."""

NO_FILENAME = "–"

PAGE = 1000
"""Guilds that one statement looks for."""


def person_columns(table: sa.Table) -> list[sa.Column[Any]]:
    """Return the columns that hold people's Discord ids."""
    return [
        column for column in table.c if column.key in ("actor_id", "user_id") or column.key.endswith("_by")
    ]


def guild_ids(session: Session) -> set[int]:
    """Return the ids of all guilds in any table, for the bot itself."""
    return {guild_id for table in guild_tables() for guild_id in _guilds_of(session, table)}


def _guilds_of(session: Session, table: sa.Table) -> Iterator[int]:
    """Yield the guilds of a table; each costs a look into the index, however many rows it has."""
    after: int | None = None
    while True:
        lowest = sa.select(sa.func.min(table.c.guild_id).label("id"))
        found = (lowest if after is None else lowest.where(table.c.guild_id > after)).cte(
            "found", recursive=True
        )
        following = sa.select(sa.func.min(table.c.guild_id)).where(table.c.guild_id > found.c.id)
        following = following.correlate(found)
        found = found.union_all(
            sa.select(following.scalar_subquery()).select_from(found).where(found.c.id.is_not(None))
        )
        page = session.scalars(sa.select(found.c.id).where(found.c.id.is_not(None)).limit(PAGE)).all()
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1]


def rows(session: Session, guild_id: int, user_id: int | None = None) -> dict[str, list[dict[str, Any]]]:
    """Return the guild's rows by table name, or those that name a person. Empty tables are left out.

    Args:
        session: an open SQLAlchemy session.
        guild_id: Discord id of the guild that owns the rows.
        user_id: Discord id of the person; None for all rows.
    """
    found = {
        table.name: [dict(row) for row in session.execute(sa.select(table).where(condition)).mappings()]
        for table, condition in _conditions(guild_id, user_id)
    }
    return {name: of_table for name, of_table in found.items() if of_table}


def counts(session: Session, guild_id: int, user_id: int | None = None) -> dict[str, int]:
    """Return how many rows `rows` would find, by table name; 0 for an empty table."""
    return {
        table.name: session.execute(
            sa.select(sa.func.count()).select_from(table).where(condition)
        ).scalar_one()
        for table, condition in _conditions(guild_id, user_id)
    }


def texts(session: Session, guild_id: int, user_id: int | None = None) -> Sequence[Corpus]:
    """Return the guild's or the person's corpora whose text is still stored, the oldest first."""
    chosen = sa.select(Corpus).where(Corpus.guild_id == guild_id, Corpus.text_deleted_at.is_(None))
    if user_id is not None:
        chosen = chosen.where(Corpus.uploaded_by == user_id)
    return session.scalars(chosen.order_by(Corpus.id)).all()


def erase_guild(session: Session, guild_id: int) -> None:
    """Delete every row of the guild."""
    for table in reversed(guild_tables()):
        session.execute(sa.delete(table).where(table.c.guild_id == guild_id))
    session.expire_all()


def forget_person(session: Session, guild_id: int, user_id: int, now: datetime) -> Sequence[TrainingJob]:
    """Remove a person from the guild's rows; the rows stay for those who use the models.

    A row whose primary key names them is about nobody else, so it is deleted. Their texts are marked as
    deleted, their trainings are cancelled, and `DELETED_PERSON` replaces their id, also in the details of the
    audit log.

    Returns:
        The trainings that were cancelled.
    """
    cancelled = training_jobs.cancel_all(session, guild_id, user_id)
    theirs = (Corpus.guild_id == guild_id, Corpus.uploaded_by == user_id)
    session.execute(sa.update(Corpus).where(*theirs).values(filename=NO_FILENAME))
    session.execute(
        sa.update(Corpus).where(*theirs, Corpus.text_deleted_at.is_(None)).values(text_deleted_at=now)
    )
    _forget_in_details(session, guild_id, user_id)
    for table in guild_tables():
        for column in person_columns(table):
            theirs_here = (table.c.guild_id == guild_id, column == user_id)
            if column.primary_key:
                session.execute(sa.delete(table).where(*theirs_here))
            else:
                session.execute(sa.update(table).where(*theirs_here).values({column: DELETED_PERSON}))
    session.expire_all()
    return cancelled


def models_from(session: Session, guild_id: int, user_id: int) -> Sequence[TextModel]:
    """Return the models that learned from the person's texts, directly or through a base model."""
    texts_of_theirs = set(
        session.scalars(
            sa.select(Corpus.id).where(Corpus.guild_id == guild_id, Corpus.uploaded_by == user_id)
        )
    )
    done = sa.select(TrainingJob).where(TrainingJob.guild_id == guild_id, TrainingJob.state == JobState.DONE)
    jobs: set[str] = set()
    learned: set[int] = set()
    # A base is older than the model trained from it, so one pass in order of time is enough.
    for job in session.scalars(done.order_by(TrainingJob.finished_at)):
        if job.corpus_id in texts_of_theirs or job.base_model_id in learned:
            jobs.add(job.id)
            learned.update(() if job.model_id is None else (job.model_id,))
    models = session.scalars(
        sa.select(TextModel).where(TextModel.guild_id == guild_id).order_by(TextModel.id)
    )
    return [model for model in models if model.corpus_id in texts_of_theirs or model.training_job_id in jobs]


def _conditions(guild_id: int, user_id: int | None) -> Iterator[tuple[sa.Table, sa.ColumnElement[bool]]]:
    """Yield each table of guilds with the condition of its rows of the guild, or of the person in it."""
    for table in guild_tables():
        condition: sa.ColumnElement[bool] = table.c.guild_id == guild_id
        if user_id is not None:
            condition &= sa.or_(sa.false(), *(column == user_id for column in person_columns(table)))
        yield table, condition


def _forget_in_details(session: Session, guild_id: int, user_id: int) -> None:
    said = sa.select(AuditEvent).where(
        AuditEvent.guild_id == guild_id, AuditEvent.details.contains(str(user_id))
    )
    for event in session.scalars(said):
        event.details = json.dumps(_without(json.loads(event.details), user_id), ensure_ascii=False)
    session.flush()


def _without(value: Any, user_id: int) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner, user_id) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without(inner, user_id) for inner in value]
    return DELETED_PERSON if value == user_id or value == str(user_id) else value
