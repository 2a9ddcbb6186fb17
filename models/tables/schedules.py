"""The tables of schedules and of their posts."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import NEVER_REUSE_IDS, Base
from models.tables.columns import by_value, utc_now


class ScheduleState(StrEnum):
    """The state of a schedule. A draft is not confirmed yet; only an active schedule posts by itself."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"


class PostState(StrEnum):
    """The state of a slot. The first two are under way, the others final."""

    DUE = "due"
    # Discord may have the message already.
    SENDING = "sending"
    SENT = "sent"
    # The bot ended while it was sending, too long ago to find out: it counts as posted.
    UNCONFIRMED = "unconfirmed"
    MISSED = "missed"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether the slot has ended."""
        return self not in UNDER_WAY


UNDER_WAY = frozenset({PostState.DUE, PostState.SENDING})


class Schedule(Base):
    """Regular posts in a channel: when, and with which settings."""

    __tablename__ = "schedule"

    id: Mapped[int] = mapped_column(primary_key=True)
    guild_id: Mapped[int] = mapped_column(sa.BigInteger)
    channel_id: Mapped[int] = mapped_column(sa.BigInteger)
    # The person responsible for it: who created it or, if somebody else resumed it, that person.
    created_by: Mapped[int] = mapped_column(sa.BigInteger)
    state: Mapped[ScheduleState] = mapped_column(by_value(ScheduleState), default=ScheduleState.DRAFT)
    # The rule as it is written, such as "daily 09:00".
    rule: Mapped[str] = mapped_column(sa.String(120))
    timezone: Mapped[str] = mapped_column(sa.String(64))
    # What "every N hours" is counted from.
    anchor: Mapped[datetime]
    # None: the guild's default model at the time of each post.
    model_id: Mapped[int | None]
    seed: Mapped[str] = mapped_column(default="")
    # None: the guild's settings at the time of each post.
    temperature: Mapped[float | None]
    length: Mapped[int | None]
    # None unless it is active.
    next_slot: Mapped[datetime | None]
    # One line in English; "{name}" in it is replaced by who paused it.
    paused_reason: Mapped[str] = mapped_column(default="")
    # The person who paused it; None if the bot did. The name itself is not stored.
    paused_by: Mapped[int | None] = mapped_column(sa.BigInteger)
    # The channel must still be told that the schedule is paused.
    notice_due: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)

    __table_args__ = (
        sa.UniqueConstraint("guild_id", "id"),
        sa.ForeignKeyConstraint(["guild_id", "model_id"], ["text_model.guild_id", "text_model.id"]),
        sa.CheckConstraint("state IN ('draft', 'active', 'paused')", name="state_known"),
        sa.CheckConstraint("(state = 'active') = (next_slot IS NOT NULL)", name="active_has_next_slot"),
        sa.CheckConstraint("temperature >= 0", name="temperature_not_negative"),
        sa.CheckConstraint("length > 0", name="length_positive"),
        sa.Index(None, "next_slot"),
        # Those whose channel must still be told, which are few.
        sa.Index(
            "ix_schedule_to_tell",
            "updated_at",
            "id",
            sqlite_where=sa.text("notice_due = 1"),
            postgresql_where=sa.text("notice_due"),
        ),
        NEVER_REUSE_IDS,
    )


class ScheduledPost(Base):
    """One slot of a schedule and its state. A slot has one row, whoever finds it due."""

    __tablename__ = "scheduled_post"

    id: Mapped[int] = mapped_column(primary_key=True)
    guild_id: Mapped[int] = mapped_column(sa.BigInteger)
    schedule_id: Mapped[int]
    slot: Mapped[datetime]
    state: Mapped[PostState] = mapped_column(by_value(PostState), default=PostState.DUE)
    # Drawn in advance, so that every attempt writes the same text.
    random_seed: Mapped[int] = mapped_column(sa.BigInteger)
    # After this moment it is not posted any more.
    expires_at: Mapped[datetime]
    # The person who ran the schedule by hand; None for a slot of the rule.
    requested_by: Mapped[int | None] = mapped_column(sa.BigInteger)
    sending_at: Mapped[datetime | None]
    message_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)

    __table_args__ = (
        sa.UniqueConstraint("guild_id", "schedule_id", "slot"),
        sa.ForeignKeyConstraint(["guild_id", "schedule_id"], ["schedule.guild_id", "schedule.id"]),
        sa.CheckConstraint(
            "state IN ('due', 'sending', 'sent', 'unconfirmed', 'missed', 'failed')", name="state_known"
        ),
        sa.Index(None, "state"),
        NEVER_REUSE_IDS,
    )
