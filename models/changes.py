"""How rows are inserted and changed. Of two changes at a time, a conditional UPDATE makes only the first."""

from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.tables import Base

Row = TypeVar("Row", bound=Base)


def insert_row(session: Session, row: Row) -> Row:
    """Insert a row at once, and return it with the values that it gets by default.

    Args:
        session: an open SQLAlchemy session that may write.
        row: a new row.

    Raises:
        sqlalchemy.exc.IntegrityError: the database refuses it.
    """
    session.add(row)
    session.flush()
    return row


def change_row(
    session: Session, table: type[Row], *which: sa.SQLColumnExpression[bool], **values: Any
) -> Row | None:
    """Change the only row that meets some conditions.

    Args:
        session: an open SQLAlchemy session that may write.
        table: the row's class.
        *which: conditions that at most one row meets.
        **values: new values by the names of their columns.

    Returns:
        The row as it is now; None if no row meets the conditions.
    """
    change = (
        sa.update(table)
        .where(*which)
        .values(**values)
        .returning(table)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return session.scalars(change).one_or_none()
