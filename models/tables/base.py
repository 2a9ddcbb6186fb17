"""What every table has in common: the names of constraints, and the types of columns."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase

from models.tables.columns import UtcDateTime

# SQLite would give the id of a deleted row to a new one, and a button of the old row would then act on it.
NEVER_REUSE_IDS = {"sqlite_autoincrement": True}


class Base(DeclarativeBase):
    """Base class of every table. Constraints have predictable names, so that migrations can refer to them."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # Discord's ids have 64 bits.
    type_annotation_map = {datetime: UtcDateTime(), str: sa.Text()}  # noqa: RUF012  (SQLAlchemy's own declaration)


def guild_tables() -> list[sa.Table]:
    """Return every table that belongs to guilds; a table comes after those that it refers to."""
    return [table for table in Base.metadata.sorted_tables if "guild_id" in table.c]
