"""The settings of guilds, with defaults for a guild that chose nothing."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.shards import EVERY_GUILD, ServedShards
from models.tables import GuildSettings, utc_now

AT_ONCE = 200
"""Guilds in one statement: more would take longer than others should wait for it."""


class SettingsValues(TypedDict, total=False):
    """The settings that can be changed. None means: no choice (models, roles, channels, days)."""

    default_model_id: int | None
    temperature: float
    length: int
    trainer_role_id: int | None
    generate_role_id: int | None
    channel_id: int | None
    report_channel_id: int | None
    hidden_words: str
    language: str
    longest_copy: int
    cooldown_s: float
    trainings_a_day: int
    trainings_a_person: int
    schedules: int
    timezone: str
    keep_corpora_days: int | None
    welcomed_at: datetime | None
    removed_at: datetime | None


def settings_of(session: Session, guild_id: int) -> GuildSettings:
    """Return the guild's settings; the defaults if it has no row yet. To change them, use `edit`."""
    return session.get(GuildSettings, guild_id) or _defaults(guild_id)


def edit(session: Session, guild_id: int, **values: Unpack[SettingsValues]) -> GuildSettings:
    """Change some settings and return all of them. The first change inserts the guild's row.

    Raises:
        sqlalchemy.exc.IntegrityError: the default model is not one of this guild's, or a number is out of
            range.
    """
    settings = session.get(GuildSettings, guild_id, with_for_update=True)
    if settings is None:
        settings = _made(session, guild_id)
    for name, value in values.items():
        setattr(settings, name, value)
    session.flush()
    return settings


def lock(session: Session, guild_id: int) -> GuildSettings:
    """Return the guild's settings and lock them: other transactions wait until this one ends.

    Limits need it: a count that was taken under the lock still holds when a row is added.
    """
    return edit(session, guild_id)


def hidden_words(session: Session, served: ServedShards = EVERY_GUILD) -> list[tuple[int, str]]:
    """Return the lists of hidden words of the served guilds that have one, by guild id."""
    chosen = sa.select(GuildSettings.guild_id, GuildSettings.hidden_words).where(
        GuildSettings.hidden_words != "", served.rows(GuildSettings.guild_id)
    )
    return [(guild_id, words) for guild_id, words in session.execute(chosen)]


def arrived(session: Session, guild_ids: Iterable[int], now: datetime) -> set[int]:
    """Record that the bot is in some guilds.

    Args:
        session: an open SQLAlchemy session that may write.
        guild_ids: Discord ids of the guilds.
        now: the present moment (aware).

    Returns:
        Those that must be greeted: of all calls, one returns a guild.
    """
    here = sorted(set(guild_ids))
    came_back(session, here)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    first = (
        insert(GuildSettings)
        .on_conflict_do_update(
            index_elements=[GuildSettings.guild_id],
            set_={"welcomed_at": now, "updated_at": now},
            where=GuildSettings.welcomed_at.is_(None),
        )
        .returning(GuildSettings.guild_id)
    )
    to_greet: set[int] = set()
    for some in _batches(here):
        rows = [{"guild_id": guild_id, "welcomed_at": now} for guild_id in some]
        to_greet.update(session.scalars(first, rows))
    session.expire_all()
    return to_greet


def came_back(session: Session, guild_ids: Iterable[int]) -> None:
    """Record that guilds have the bot, whatever was recorded before."""
    for some in _batches(sorted(guild_ids)):
        back = sa.update(GuildSettings).where(
            GuildSettings.guild_id.in_(some), GuildSettings.removed_at.is_not(None)
        )
        session.execute(back.values(removed_at=None, updated_at=utc_now()))


def _batches(guild_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (guild_ids[first : first + AT_ONCE] for first in range(0, len(guild_ids), AT_ONCE))


def _made(session: Session, guild_id: int) -> GuildSettings:
    settings = _defaults(guild_id)
    try:
        with session.begin_nested():
            session.add(settings)
    except IntegrityError:
        # On PostgreSQL another transaction may have made the row since it was looked for.
        return session.get_one(GuildSettings, guild_id, with_for_update=True)
    return settings


def _defaults(guild_id: int) -> GuildSettings:
    """Return what the table's own defaults would give, before any row is written."""
    now = utc_now()
    values = {
        column.key: column.default.arg
        for column in GuildSettings.__table__.columns
        if column.default is not None and column.default.is_scalar
    }
    return GuildSettings(guild_id=guild_id, created_at=now, updated_at=now, **values)
