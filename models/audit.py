"""The audit log: who changed what in a guild."""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.changes import insert_row
from models.tables import AuditEvent


def record(
    session: Session, guild_id: int, actor_id: int, action: str, subject: str = "", **details: Any
) -> AuditEvent:
    """Add an event, in the transaction of the change that it records.

    Args:
        session: an open SQLAlchemy session that may write.
        guild_id: Discord id of the guild that owns the event.
        actor_id: Discord id of the person who did it; 0 for the bot itself.
        action: noun and verb, such as ``settings.changed`` or ``model.deleted``.
        subject: name of what was changed, as people call it.
        **details: further facts; the values must be JSON.
    """
    facts = json.dumps(details, ensure_ascii=False)
    event = AuditEvent(guild_id=guild_id, actor_id=actor_id, action=action, subject=subject, details=facts)
    return insert_row(session, event)


def listing(session: Session, guild_id: int, limit: int = 50, offset: int = 0) -> Sequence[AuditEvent]:
    """Return up to `limit` of the guild's events, the newest first; skip the first `offset`."""
    chosen = sa.select(AuditEvent).where(AuditEvent.guild_id == guild_id)
    return session.scalars(chosen.order_by(AuditEvent.id.desc()).offset(offset).limit(limit)).all()


def count(session: Session, guild_id: int) -> int:
    """Return how many events the guild has."""
    chosen = sa.select(sa.func.count()).select_from(AuditEvent).where(AuditEvent.guild_id == guild_id)
    return session.scalars(chosen).one()


def recorded(session: Session, guild_id: int, actor_id: int, action: str, subject: str) -> bool:
    """Whether the person has done this action to this subject before."""
    chosen = sa.select(AuditEvent.id).where(
        AuditEvent.guild_id == guild_id,
        AuditEvent.actor_id == actor_id,
        AuditEvent.action == action,
        AuditEvent.subject == subject,
    )
    return session.scalar(chosen.limit(1)) is not None
