"""The tables of what a guild chose, and of who changed what in it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import NEVER_REUSE_IDS, Base
from models.tables.columns import utc_now

DEFAULT_TEMPERATURE = 0.7
DEFAULT_LENGTH = 500
"""Characters a sample has where neither the user nor the guild says otherwise."""

DEFAULT_COOLDOWN_S = 3.0
"""Seconds between two samples of one person."""

DEFAULT_LONGEST_COPY = 50
"""Characters that a sample may have in common with its corpus in one piece."""

DEFAULT_TRAININGS_A_DAY = 20
DEFAULT_TRAININGS_A_PERSON = 2
"""Trainings that a guild may begin in 24 hours, and that one person may have queued or running."""

DEFAULT_SCHEDULES = 10
"""Schedules that a guild may have."""


class GuildSettings(Base):
    """What a guild chose. A guild without a row has the defaults."""

    __tablename__ = "guild_settings"

    guild_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    default_model_id: Mapped[int | None]
    temperature: Mapped[float] = mapped_column(default=DEFAULT_TEMPERATURE)
    length: Mapped[int] = mapped_column(default=DEFAULT_LENGTH)
    trainer_role_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    generate_role_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    # The only channel where texts are written, and the one that reports go to.
    channel_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    report_channel_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    # Hidden words, one a line.
    hidden_words: Mapped[str] = mapped_column(default="")
    longest_copy: Mapped[int] = mapped_column(default=DEFAULT_LONGEST_COPY)
    cooldown_s: Mapped[float] = mapped_column(default=DEFAULT_COOLDOWN_S)
    trainings_a_day: Mapped[int] = mapped_column(default=DEFAULT_TRAININGS_A_DAY)
    trainings_a_person: Mapped[int] = mapped_column(default=DEFAULT_TRAININGS_A_PERSON)
    schedules: Mapped[int] = mapped_column(default=DEFAULT_SCHEDULES)
    # An IANA name, for schedules that name none.
    timezone: Mapped[str] = mapped_column(default="UTC")
    # Days after its training that a corpus is deleted; None keeps it.
    keep_corpora_days: Mapped[int | None]
    welcomed_at: Mapped[datetime | None]
    # When the bot was removed: what the guild has here is purged some time later.
    removed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)

    __table_args__ = (
        sa.ForeignKeyConstraint(["guild_id", "default_model_id"], ["text_model.guild_id", "text_model.id"]),
        sa.CheckConstraint("temperature >= 0", name="temperature_not_negative"),
        sa.CheckConstraint("length > 0", name="length_positive"),
        sa.CheckConstraint("longest_copy >= 0", name="longest_copy_not_negative"),
        sa.CheckConstraint("cooldown_s >= 0", name="cooldown_not_negative"),
        sa.CheckConstraint("trainings_a_day >= 0", name="trainings_a_day_not_negative"),
        sa.CheckConstraint("trainings_a_person >= 0", name="trainings_a_person_not_negative"),
        sa.CheckConstraint("schedules >= 0", name="schedules_not_negative"),
        sa.CheckConstraint("keep_corpora_days >= 0", name="keep_corpora_days_not_negative"),
    )


class AuditEvent(Base):
    """Something that somebody changed: settings, models, trainings, schedules, data."""

    __tablename__ = "audit_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    guild_id: Mapped[int] = mapped_column(sa.BigInteger)
    actor_id: Mapped[int] = mapped_column(sa.BigInteger)
    action: Mapped[str] = mapped_column(sa.String(64))
    # What it was done to, as people call it.
    subject: Mapped[str]
    # JSON: what else belongs to it.
    details: Mapped[str] = mapped_column(default="{}")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (sa.Index(None, "guild_id", "created_at"), NEVER_REUSE_IDS)
