"""The tables whose rows belong to no guild."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base
from models.tables.columns import utc_now


class FileRemoval(Base):
    """A file or folder to delete: recorded with the deletion of its row, deleted after the commit.

    It has no guild id, so that it outlives the guild's rows. After a crash the next start deletes the file.
    """

    __tablename__ = "file_removal"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Relative to the data directory.
    path: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Installation(Base):
    """One row: when this database was created."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Host(Base):
    """A process that serves Discord or trains, and its latest sign of life.

    The times are those of the process's own clock. Nobody compares them with another clock: whether a process
    is alive is seen from whether they change.
    """

    __tablename__ = "host"

    kind: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(100), primary_key=True)
    # Each process that takes the name increments it, and the one before it ends.
    incarnation: Mapped[int]
    # Random. A restored database may give one incarnation to two processes.
    process_id: Mapped[str] = mapped_column(sa.String(32))
    version: Mapped[str]
    # None after an orderly end.
    seen_at: Mapped[datetime | None]
