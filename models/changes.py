"""How a row is changed: by one conditional UPDATE, so that the second of two concurrent ones does nothing."""

from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.tables import Base

Row = TypeVar("Row", bound=Base)


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
