"""What every table has in common: the names of constraints, and the types of columns."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase

from models.tables.columns import UtcDateTime

# A button that outlives the row it was made for must not find another one; SQLite would hand out freed ids.
NEVER_REUSE_IDS = {"sqlite_autoincrement": True}


class Base(DeclarativeBase):
    """Parent of every table. Constraints have predictable names, so that a migration can name them."""

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
