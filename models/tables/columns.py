"""Column types that behave alike on every database."""

from datetime import UTC, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: takes aware times, returns aware times in UTC. SQLite alone would drop the zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Store the time in UTC.

        Raises:
            ValueError: the time has no zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the time {value.isoformat()} has no time zone; give an aware one, such as UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return the time in UTC; a time without a zone, as SQLite stores it, is in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def partial_index(name: str, columns: tuple[str, ...], *, rows: str) -> sa.Index:
    """Return an index of some rows only: those for which a condition in SQL holds."""
    condition = sa.text(rows)
    return sa.Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


def by_value(states: type[StrEnum]) -> sa.Enum:
    """Return a column type that stores the values of a `StrEnum`'s members, of up to 16 characters."""
    return sa.Enum(
        states, native_enum=False, length=16, values_callable=lambda members: [each.value for each in members]
    )
