"""The tables whose rows belong to no guild."""

from datetime import datetime

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
