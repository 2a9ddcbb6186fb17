"""The settings of guilds, with defaults for a guild that chose nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.tables import GuildSettings, utc_now


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


def known(session: Session) -> Sequence[GuildSettings]:
    """Return the settings of every guild that has a row, for the bot itself."""
    return session.scalars(sa.select(GuildSettings).order_by(GuildSettings.guild_id)).all()


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
