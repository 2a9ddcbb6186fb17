"""Carries the rows of a SQLite database over to PostgreSQL, for an installation that grows."""

from pathlib import Path

import sqlalchemy as sa

import migrations
from bot.backup.archive import BackupError
from models import Base, Database

_AT_ONCE = 1_000


def carry_over(source: Path, url: str) -> None:
    """Fill an empty PostgreSQL database with the rows of a SQLite file; all of them or nothing.

    Args:
        source: path of the SQLite file; its tables are the newest.
        url: of the PostgreSQL database.

    Raises:
        BackupError: PostgreSQL does not take a row.
        DatabaseError: a database cannot be used.
    """
    migrations.upgrade(url)
    with Database(f"sqlite:///{source}") as old, Database(url) as new:
        try:
            with old.read() as rows, new.write() as target:
                for table in reversed(Base.metadata.sorted_tables):
                    target.execute(table.delete())  # rows that the migrations made
                for table in Base.metadata.sorted_tables:
                    _carry(table, rows.connection(), target.connection())
        except sa.exc.DBAPIError as error:
            _clear(new)
            said = str(error.orig).splitlines()[0]
            raise BackupError(f"PostgreSQL does not take the rows of this backup: {said[:300]}") from None


def _carry(table: sa.Table, rows: sa.Connection, target: sa.Connection) -> None:
    order = [column.asc() for column in table.primary_key]
    found = rows.execution_options(yield_per=_AT_ONCE).execute(table.select().order_by(*order))
    for part in found.mappings().partitions(_AT_ONCE):
        target.execute(table.insert(), [dict(row) for row in part])
    numbered = table.autoincrement_column
    if numbered is not None:
        # Ids were given, so the sequence has not counted them.
        sequence = sa.func.pg_get_serial_sequence(table.name, numbered.name)
        highest = sa.select(sa.func.max(numbered)).scalar_subquery()
        next_id = sa.func.coalesce(highest, 0) + 1
        target.execute(sa.select(sa.func.setval(sequence, next_id, False)))


def _clear(database: Database) -> None:
    """Drop the tables again, so that the database is as empty as it was."""
    with database.write() as session:
        Base.metadata.drop_all(session.connection())
        session.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
