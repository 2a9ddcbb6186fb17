"""The tables whose rows belong to no guild."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base
from models.tables.columns import utc_now


class FileRemoval(Base):
    """A file or folder that must go: written with the deletion of its row, carried out after it.

    It names no guild, so that it outlives the guild's rows; who looks next makes up for a crash.
    """

    __tablename__ = "file_removal"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Relative to the data directory.
    path: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Installation(Base):
    """The one row that says when this database was made."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
