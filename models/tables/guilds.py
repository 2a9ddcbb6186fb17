"""The tables of what a guild chose, and of who changed what in it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import NEVER_REUSE_IDS, Base
from models.tables.columns import utc_now

DEFAULT_TEMPERATURE = 0.7
DEFAULT_LENGTH = 500
"""Characters of a sample, unless the request or the guild names another length."""

DEFAULT_COOLDOWN_S = 3.0
"""Seconds between two samples of one person."""

DEFAULT_LONGEST_COPY = 50
"""The most characters in a row that a sample may share with its corpus."""

DEFAULT_TRAININGS_A_DAY = 20
DEFAULT_TRAININGS_A_PERSON = 2
"""The most trainings that a guild may begin in 24 hours, and that a person may have queued or running."""

DEFAULT_SCHEDULES = 10
"""The most schedules that a guild may have."""


class GuildSettings(Base):
    """The settings of a guild. A guild without a row has the defaults."""

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
    # Of what everyone reads, such as "de"; "" is the one that Discord says.
    language: Mapped[str] = mapped_column(sa.String(16), default="")
    longest_copy: Mapped[int] = mapped_column(default=DEFAULT_LONGEST_COPY)
    cooldown_s: Mapped[float] = mapped_column(default=DEFAULT_COOLDOWN_S)
    trainings_a_day: Mapped[int] = mapped_column(default=DEFAULT_TRAININGS_A_DAY)
    trainings_a_person: Mapped[int] = mapped_column(default=DEFAULT_TRAININGS_A_PERSON)
    schedules: Mapped[int] = mapped_column(default=DEFAULT_SCHEDULES)
    # An IANA name, for schedules that name none.
    timezone: Mapped[str] = mapped_column(default="UTC")
    # A corpus is deleted this many days after its last training; None keeps it.
    keep_corpora_days: Mapped[int | None]
    welcomed_at: Mapped[datetime | None]
    # When the guild removed the bot: its data is purged 30 days later.
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
    """A change that somebody made: to settings, models, trainings, schedules or data."""

    __tablename__ = "audit_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    guild_id: Mapped[int] = mapped_column(sa.BigInteger)
    actor_id: Mapped[int] = mapped_column(sa.BigInteger)
    action: Mapped[str] = mapped_column(sa.String(64))
    # Name of what was changed, as people call it.
    subject: Mapped[str]
    # JSON object of further facts.
    details: Mapped[str] = mapped_column(default="{}")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (sa.Index(None, "guild_id", "created_at"), NEVER_REUSE_IDS)
