"""Alembic's entry: runs the revisions on the connection, and in the transaction, that the caller opened."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from models import Base
from models.tables.columns import UtcDateTime


def render_item(_kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """Render our own type as the database's type: a revision must not depend on ``models``."""
    return "sa.DateTime(timezone=True)" if isinstance(item, UtcDateTime) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    # SQLite cannot alter most of a table: Alembic builds a new one and moves the rows.
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
    compare_type=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
