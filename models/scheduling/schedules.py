"""The life of a schedule: a draft is confirmed, then the schedule is active or paused until it is removed.

Each change is a conditional UPDATE or DELETE. It returns None and changes nothing if it comes too late, or if
the guild has no such schedule.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NotRequired, TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.changes import change_row, insert_row
from models.shards import EVERY_GUILD, ServedShards
from models.tables import Schedule, ScheduledPost, ScheduleState, utc_now

DRAFTS_KEPT = timedelta(days=1)


class ScheduleValues(TypedDict):
    """What a person decides about a schedule; the table says what each value is."""

    channel_id: int
    created_by: int
    rule: str
    timezone: str
    anchor: datetime
    model_id: NotRequired[int | None]
    seed: NotRequired[str]
    temperature: NotRequired[float | None]
    length: NotRequired[int | None]


def add_draft(session: Session, guild_id: int, **values: Unpack[ScheduleValues]) -> Schedule:
    """Insert a draft for a person to confirm; delete their earlier drafts, and old drafts of the guild.

    Raises:
        sqlalchemy.exc.IntegrityError: the model is not one of this guild's.
    """
    session.execute(
        sa.delete(Schedule).where(
            Schedule.guild_id == guild_id,
            Schedule.state == ScheduleState.DRAFT,
            sa.or_(
                Schedule.created_by == values["created_by"], Schedule.created_at < utc_now() - DRAFTS_KEPT
            ),
        )
    )
    return insert_row(session, Schedule(guild_id=guild_id, state=ScheduleState.DRAFT, **values))


def get(session: Session, guild_id: int, schedule_id: int) -> Schedule | None:
    """Return one of the guild's confirmed schedules; None where the id is absent or another guild's."""
    which = (*_of(guild_id, schedule_id), Schedule.state != ScheduleState.DRAFT)
    return session.scalar(sa.select(Schedule).where(*which))


def draft(session: Session, guild_id: int, schedule_id: int) -> Schedule | None:
    """Return one of the guild's drafts; None where the id is absent, confirmed or another guild's."""
    which = (*_of(guild_id, schedule_id), Schedule.state == ScheduleState.DRAFT)
    return session.scalar(sa.select(Schedule).where(*which))


def listing(session: Session, guild_id: int, *, lock: bool = False) -> Sequence[Schedule]:
    """Return the guild's confirmed schedules, the oldest first.

    With ``lock`` they cannot change until this (writing) transaction ends: count them, then `confirm`.
    """
    chosen = (
        sa.select(Schedule)
        .where(Schedule.guild_id == guild_id, Schedule.state != ScheduleState.DRAFT)
        .order_by(Schedule.id)
    )
    return session.scalars(chosen.with_for_update() if lock else chosen).all()


def confirm(session: Session, guild_id: int, schedule_id: int, *, next_slot: datetime) -> Schedule | None:
    """Make a draft an active schedule."""
    return _move(
        session,
        guild_id,
        schedule_id,
        ScheduleState.DRAFT,
        state=ScheduleState.ACTIVE,
        next_slot=next_slot,
        created_at=utc_now(),
    )


def discard(session: Session, guild_id: int, schedule_id: int) -> None:
    """Delete a draft."""
    which = (*_of(guild_id, schedule_id), Schedule.state == ScheduleState.DRAFT)
    session.execute(sa.delete(Schedule).where(*which))


def pause(
    session: Session,
    guild_id: int,
    schedule_id: int,
    *,
    reason: str,
    by: int | None = None,
    notice: bool = False,
) -> Schedule | None:
    """Stop an active schedule from posting by itself.

    Args:
        session: an open SQLAlchemy session that may write.
        guild_id: Discord id of the guild that owns the schedule.
        schedule_id: id of the schedule.
        reason: one line for people; "{name}" in it is replaced by the name of who did it.
        by: Discord id of the person who did it; None for the bot.
        notice: whether its channel is to be told.
    """
    return _move(
        session,
        guild_id,
        schedule_id,
        ScheduleState.ACTIVE,
        state=ScheduleState.PAUSED,
        next_slot=None,
        paused_reason=reason,
        paused_by=by,
        notice_due=notice,
    )


def resume(
    session: Session, guild_id: int, schedule_id: int, *, by: int, next_slot: datetime
) -> Schedule | None:
    """Let a paused schedule post again; who resumes it is responsible for it from now on."""
    return _move(
        session,
        guild_id,
        schedule_id,
        ScheduleState.PAUSED,
        state=ScheduleState.ACTIVE,
        next_slot=next_slot,
        created_by=by,
        paused_reason="",
        paused_by=None,
        notice_due=False,
    )


def remove(session: Session, guild_id: int, schedule_id: int) -> Schedule | None:
    """Delete a confirmed schedule with the rows of its posts, and return it."""
    schedule = get(session, guild_id, schedule_id)
    if schedule is not None:
        _delete(session, *_of(guild_id, schedule_id))
    return schedule


def pause_for_model(session: Session, guild_id: int, model_id: int, reason: str) -> None:
    """Drop references to a model before it is deleted in the same transaction.

    Active schedules that use it are paused, and their channels will be told.
    """
    of_model = (Schedule.guild_id == guild_id, Schedule.model_id == model_id)
    _delete(session, *of_model, Schedule.state == ScheduleState.DRAFT)
    _pause_many(session, *of_model, reason=reason, notice=True)
    session.execute(
        sa.update(Schedule).where(*of_model).values(model_id=None, paused_reason=reason, paused_by=None)
    )


def pause_all(session: Session, guild_id: int, reason: str) -> None:
    """Pause every active schedule of the guild."""
    _pause_many(session, Schedule.guild_id == guild_id, reason=reason, notice=False)


def due(
    session: Session, now: datetime, limit: int = 100, *, served: ServedShards = EVERY_GUILD
) -> Sequence[Schedule]:
    """Return served guilds' schedules whose next slot has come, the longest due first, for the bot itself."""
    chosen = sa.select(Schedule).where(Schedule.next_slot <= now, served.rows(Schedule.guild_id))
    return session.scalars(chosen.order_by(Schedule.next_slot, Schedule.id).limit(limit)).all()


def active(
    session: Session, *, served: ServedShards = EVERY_GUILD, after: int = 0, limit: int = 500
) -> Sequence[Schedule]:
    """Return the served guilds' active schedules with ids above `after`, the lowest first, for the bot."""
    chosen = sa.select(Schedule).where(
        Schedule.id > after, Schedule.state == ScheduleState.ACTIVE, served.rows(Schedule.guild_id)
    )
    return session.scalars(chosen.order_by(Schedule.id).limit(limit)).all()


def to_tell(
    session: Session, limit: int = 20, away: Collection[int] = (), *, served: ServedShards = EVERY_GUILD
) -> Sequence[Schedule]:
    """Return the served guilds' paused schedules whose channel must still be told, for the bot itself.

    Args:
        session: an open SQLAlchemy session.
        limit: the most rows to return, the longest paused first.
        away: Discord ids of guilds that cannot be told now.
        served: the guilds to look at.
    """
    chosen = sa.select(Schedule).where(
        Schedule.notice_due,
        Schedule.state == ScheduleState.PAUSED,
        Schedule.guild_id.not_in(away),
        served.rows(Schedule.guild_id),
    )
    return session.scalars(chosen.order_by(Schedule.updated_at, Schedule.id).limit(limit)).all()


def told(session: Session, guild_id: int, schedule_id: int) -> Schedule | None:
    """Record that the channel was told; None if that was recorded before, or the schedule is not paused."""
    which = (*_of(guild_id, schedule_id), Schedule.notice_due, Schedule.state == ScheduleState.PAUSED)
    return change_row(session, Schedule, *which, notice_due=False)


def advance(
    session: Session, guild_id: int, schedule_id: int, *, expected: datetime, next_slot: datetime
) -> Schedule | None:
    """Move an active schedule to its next slot; None if another process did, or the schedule is paused."""
    which = (*_of(guild_id, schedule_id), Schedule.next_slot == expected)
    return change_row(session, Schedule, *which, next_slot=next_slot)


def _pause_many(session: Session, *which: sa.ColumnElement[bool], reason: str, notice: bool) -> None:
    session.execute(
        sa.update(Schedule)
        .where(*which, Schedule.state == ScheduleState.ACTIVE)
        .values(
            state=ScheduleState.PAUSED,
            next_slot=None,
            paused_reason=reason,
            paused_by=None,
            notice_due=notice,
        )
        .execution_options(synchronize_session=False)
    )


def _delete(session: Session, *which: sa.ColumnElement[bool]) -> None:
    chosen = sa.select(Schedule.guild_id, Schedule.id).where(*which)
    of_chosen = sa.tuple_(ScheduledPost.guild_id, ScheduledPost.schedule_id).in_(chosen)
    session.execute(sa.delete(ScheduledPost).where(of_chosen).execution_options(synchronize_session=False))
    session.execute(sa.delete(Schedule).where(*which).execution_options(synchronize_session=False))


def _of(guild_id: int, schedule_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return Schedule.guild_id == guild_id, Schedule.id == schedule_id


def _move(
    session: Session, guild_id: int, schedule_id: int, before: ScheduleState, **values: Any
) -> Schedule | None:
    which = (*_of(guild_id, schedule_id), Schedule.state == before)
    return change_row(session, Schedule, *which, **values)
