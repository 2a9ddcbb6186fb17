"""The processes of an installation: who has which name, and their signs of life. For the bot itself."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.tables import Host, utc_now


def claim(session: Session, own: Host) -> str | None:
    """Take a name for a process, and give the process its incarnation; whoever had the name must end.

    Args:
        session: an open SQLAlchemy session that may write.
        own: the process. Its kind is what it does, ``bot`` or ``worker``; each kind may use a name once. The
            name has 1 to 100 characters, and the random process id has 32 hexadecimal digits.

    Returns:
        The id of the process that had the name and has not ended in order; None if there is none.

    Raises:
        sqlalchemy.exc.IntegrityError: two processes took a new name at the same moment; try again.
    """
    row = session.get(Host, (own.kind, own.name), with_for_update=True)
    own.incarnation = 1 + (row.incarnation if row is not None else 0)
    before = row.process_id if row is not None and row.seen_at is not None else None
    _write(session, own)
    return before


def sign(session: Session, own: Host) -> bool:
    """Give a sign of life.

    A database that was restored from a backup may hold an older row; it is corrected.

    Args:
        session: an open SQLAlchemy session that may write.
        own: the process; its row may have changed.

    Returns:
        Whether the process still has its name; False if a later one has taken it.
    """
    row = session.get(Host, (own.kind, own.name), with_for_update=True)
    if row is not None and row.process_id != own.process_id and row.incarnation >= own.incarnation:
        return False
    _write(session, own)
    return True


def leave(session: Session, own: Host) -> None:
    """Record the orderly end of a process, unless a later one has taken its name."""
    ours = (Host.kind == own.kind, Host.name == own.name, Host.process_id == own.process_id)
    session.execute(sa.update(Host).where(*ours).values(seen_at=None))


def living(session: Session) -> Sequence[Host]:
    """Return the processes that have not ended in order; some may be dead."""
    chosen = sa.select(Host).where(Host.seen_at.is_not(None))
    return session.scalars(chosen.order_by(Host.kind, Host.name)).all()


def forget(session: Session, before: datetime) -> None:
    """Delete the processes that have ended, and those that were last seen before a moment."""
    session.execute(sa.delete(Host).where(sa.or_(Host.seen_at.is_(None), Host.seen_at < before)))


def _write(session: Session, host: Host) -> None:
    session.merge(host).seen_at = utc_now()
    session.flush()
