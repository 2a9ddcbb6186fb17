"""The rows of slots. Each slot has one row, which ensures that it is posted once."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NotRequired, TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.changes import change_row
from models.shards import EVERY_GUILD, ServedShards
from models.tables import UNDER_WAY, PostState, Schedule, ScheduledPost

Conditions = tuple[sa.ColumnElement[bool], ...]


class PostValues(TypedDict):
    """What the row of a slot begins with; the table says what each value is."""

    random_seed: int
    expires_at: datetime
    state: NotRequired[PostState]
    requested_by: NotRequired[int | None]


def add(
    session: Session, guild_id: int, schedule_id: int, slot: datetime, **values: Unpack[PostValues]
) -> ScheduledPost | None:
    """Insert a slot; None if it has a row already.

    Raises:
        sqlalchemy.exc.IntegrityError: the schedule is not one of this guild's.
    """
    post = ScheduledPost(guild_id=guild_id, schedule_id=schedule_id, slot=slot, **values)
    try:
        with session.begin_nested():
            session.add(post)
    except IntegrityError:
        if get(session, guild_id, schedule_id, slot) is None:
            raise
        return None
    return post


def get(session: Session, guild_id: int, schedule_id: int, slot: datetime) -> ScheduledPost | None:
    """Return a slot of one of the guild's schedules; None where it is absent or another guild's."""
    return session.scalar(sa.select(ScheduledPost).where(*_of(guild_id, schedule_id, slot)))


def listing(session: Session, guild_id: int, schedule_id: int, limit: int = 50) -> Sequence[ScheduledPost]:
    """Return a schedule's newest slots, the newest first."""
    chosen = sa.select(ScheduledPost).where(*_all_of(guild_id, schedule_id))
    return session.scalars(chosen.order_by(ScheduledPost.slot.desc()).limit(limit)).all()


def under_way(session: Session, limit: int = 100) -> Sequence[ScheduledPost]:
    """Return every guild's posts that have not ended, the oldest slot first, for the bot itself."""
    chosen = sa.select(ScheduledPost).where(ScheduledPost.state.in_(UNDER_WAY))
    return session.scalars(chosen.order_by(ScheduledPost.slot, ScheduledPost.id).limit(limit)).all()


def ready(
    session: Session,
    now: datetime,
    *,
    away: Collection[int],
    limit: int,
    served: ServedShards = EVERY_GUILD,
) -> Sequence[tuple[ScheduledPost, int]]:
    """Return the served guilds' posts that have not ended, each with its channel, for the bot itself.

    Every guild's oldest slot comes before any guild's second, so that no guild delays another one.

    Args:
        session: an open SQLAlchemy session.
        now: the present moment (aware).
        away: Discord ids of guilds that cannot be posted to now; only their expired slots are returned.
        limit: the most rows to return.
        served: the guilds to look at.
    """
    turn = sa.func.row_number().over(
        partition_by=ScheduledPost.guild_id, order_by=(ScheduledPost.slot, ScheduledPost.id)
    )
    chosen = (
        sa.select(ScheduledPost.id, turn.label("turn"))
        .where(
            ScheduledPost.state.in_(UNDER_WAY),
            served.rows(ScheduledPost.guild_id),
            sa.or_(ScheduledPost.guild_id.not_in(away), ScheduledPost.expires_at < now),
        )
        .subquery()
    )
    of_schedule = (Schedule.guild_id == ScheduledPost.guild_id) & (Schedule.id == ScheduledPost.schedule_id)
    found = (
        sa.select(ScheduledPost, Schedule.channel_id)
        .join(chosen, chosen.c.id == ScheduledPost.id)
        .join(Schedule, of_schedule)
        .order_by(chosen.c.turn, ScheduledPost.slot, ScheduledPost.id)
        .limit(limit)
    )
    return [(post, channel_id) for post, channel_id in session.execute(found)]


def take_back(session: Session, guild_id: int, schedule_id: int, *, after: datetime) -> None:
    """Delete rows of slots later than `after`, except those that may have been posted."""
    session.execute(
        sa.delete(ScheduledPost).where(
            *_all_of(guild_id, schedule_id),
            ScheduledPost.slot > after,
            ScheduledPost.state.in_((PostState.DUE, PostState.MISSED, PostState.FAILED)),
        )
    )


def begin_sending(
    session: Session, guild_id: int, schedule_id: int, slot: datetime, *, now: datetime
) -> ScheduledPost | None:
    """Record that Discord may have the message from now on; None if another attempt did so first."""
    which = _of(guild_id, schedule_id, slot)
    return _move(session, which, {PostState.DUE}, state=PostState.SENDING, sending_at=now)


def not_sent(session: Session, guild_id: int, schedule_id: int, slot: datetime) -> ScheduledPost | None:
    """Record that Discord never got the message: the slot is due again."""
    which = _of(guild_id, schedule_id, slot)
    return _move(session, which, {PostState.SENDING}, state=PostState.DUE, sending_at=None)


def sent(
    session: Session, guild_id: int, schedule_id: int, slot: datetime, *, message_id: int
) -> ScheduledPost | None:
    """Record the id of the message."""
    which = _of(guild_id, schedule_id, slot)
    return _move(session, which, {PostState.SENDING}, state=PostState.SENT, message_id=message_id)


def end(
    session: Session, guild_id: int, schedule_id: int, slot: datetime, *, state: PostState, error: str
) -> ScheduledPost | None:
    """Record why there is no known message: the slot is missed, failed or unconfirmed."""
    return _move(session, _of(guild_id, schedule_id, slot), UNDER_WAY, state=state, error=error)


def forget(session: Session, guild_id: int, schedule_id: int, *, before: datetime) -> None:
    """Delete the rows of ended posts whose slot is older than `before`."""
    session.execute(
        sa.delete(ScheduledPost).where(
            *_all_of(guild_id, schedule_id),
            ScheduledPost.slot < before,
            ScheduledPost.state.not_in(UNDER_WAY),
        )
    )


def _all_of(guild_id: int, schedule_id: int) -> Conditions:
    return ScheduledPost.guild_id == guild_id, ScheduledPost.schedule_id == schedule_id


def _of(guild_id: int, schedule_id: int, slot: datetime) -> Conditions:
    return *_all_of(guild_id, schedule_id), ScheduledPost.slot == slot


def _move(
    session: Session, which: Conditions, before: Collection[PostState], **values: Any
) -> ScheduledPost | None:
    return change_row(session, ScheduledPost, *which, ScheduledPost.state.in_(before), **values)
