"""The tables. A change here needs a new revision in ``migrations/versions``.

Guild is the wall in the database too: rows refer to each other by guild and id together, so that a row of one
guild cannot point into another. There are no relationships to load: what a session gave stays readable
without it.
"""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from models.columns import UtcDateTime, utc_now

NAME_CHARACTERS = 100
"""Longest name of a text model: what an autocomplete choice of Discord can carry."""

DEFAULT_TEMPERATURE = 0.7
DEFAULT_LENGTH = 500
"""Characters a sample has where neither the user nor the guild says otherwise."""

# A button that outlives the row it was made for must not find another one; SQLite would hand out freed ids.
NEVER_REUSE_IDS = {"sqlite_autoincrement": True}


class Base(DeclarativeBase):
    """Parent of every table. Constraints have predictable names, so that a migration can name them."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # Discord's ids have 64 bits.
    type_annotation_map = {datetime: UtcDateTime(), str: sa.Text()}  # noqa: RUF012  (SQLAlchemy's own declaration)


class Corpus(Base):
    """A text that somebody uploaded, with the statement that they may use it. One row an upload."""

    __tablename__ = "corpus"

    id: Mapped[int] = mapped_column(primary_key=True)
    guild_id: Mapped[int] = mapped_column(sa.BigInteger)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    filename: Mapped[str]
    path: Mapped[str]
    characters: Mapped[int]
    lines: Mapped[int]
    symbols: Mapped[int]
    uploaded_by: Mapped[int] = mapped_column(sa.BigInteger)
    rights_confirmed_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        sa.UniqueConstraint("guild_id", "id"),
        sa.Index(None, "guild_id", "sha256"),
        NEVER_REUSE_IDS,
    )


class TextModel(Base):
    """A trained model that its guild knows by a name; ``name_key`` is the name as it is compared."""

    __tablename__ = "text_model"

    id: Mapped[int] = mapped_column(primary_key=True)
    guild_id: Mapped[int] = mapped_column(sa.BigInteger)
    name: Mapped[str] = mapped_column(sa.String(NAME_CHARACTERS))
    name_key: Mapped[str]
    bundle_path: Mapped[str]
    corpus_id: Mapped[int | None]
    # Where it came from, for the record: no foreign key, so that an old job can be deleted.
    training_job_id: Mapped[str | None] = mapped_column(sa.String(32))
    level: Mapped[str]
    cell: Mapped[str]
    parameters: Mapped[int] = mapped_column(sa.BigInteger)
    vocabulary: Mapped[int]
    characters: Mapped[int] = mapped_column(sa.BigInteger)
    validation_loss: Mapped[float | None]
    created_by: Mapped[int] = mapped_column(sa.BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)

    __table_args__ = (
        sa.UniqueConstraint("guild_id", "name_key"),
        sa.UniqueConstraint("guild_id", "id"),
        sa.ForeignKeyConstraint(["guild_id", "corpus_id"], ["corpus.guild_id", "corpus.id"]),
        NEVER_REUSE_IDS,
    )


class GuildSettings(Base):
    """What a guild chose. A guild without a row has the defaults."""

    __tablename__ = "guild_settings"

    guild_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    default_model_id: Mapped[int | None]
    temperature: Mapped[float] = mapped_column(default=DEFAULT_TEMPERATURE)
    length: Mapped[int] = mapped_column(default=DEFAULT_LENGTH)
    trainer_role_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    generate_role_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)

    __table_args__ = (
        sa.ForeignKeyConstraint(["guild_id", "default_model_id"], ["text_model.guild_id", "text_model.id"]),
        sa.CheckConstraint("temperature >= 0", name="temperature_not_negative"),
        sa.CheckConstraint("length > 0", name="length_positive"),
    )


class JobState(StrEnum):
    """Where a training stands. It moves down this list and never back; the last three are final."""

    QUEUED = "queued"
    TRAINING = "training"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the job any more."""
        return self not in UNFINISHED


UNFINISHED = frozenset({JobState.QUEUED, JobState.TRAINING})


class TrainingJob(Base):
    """A training that somebody asked for, and what its card in the channel shows."""

    __tablename__ = "training_job"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    guild_id: Mapped[int] = mapped_column(sa.BigInteger)
    channel_id: Mapped[int] = mapped_column(sa.BigInteger)
    message_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    requested_by: Mapped[int] = mapped_column(sa.BigInteger)
    corpus_id: Mapped[int]
    model_name: Mapped[str] = mapped_column(sa.String(NAME_CHARACTERS))
    minutes: Mapped[float]
    state: Mapped[JobState] = mapped_column(
        sa.Enum(
            JobState, native_enum=False, length=16, values_callable=lambda states: [s.value for s in states]
        ),
        default=JobState.QUEUED,
    )
    fraction: Mapped[float] = mapped_column(default=0.0)
    loss: Mapped[float | None]
    eta_s: Mapped[float | None]
    sample: Mapped[str | None]
    validation_loss: Mapped[float | None]
    error: Mapped[str | None]
    model_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    # Bumped by every change; the card is out of date while it shows an older one.
    revision: Mapped[int] = mapped_column(default=1)
    shown_revision: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        sa.ForeignKeyConstraint(["guild_id", "corpus_id"], ["corpus.guild_id", "corpus.id"]),
        sa.ForeignKeyConstraint(["guild_id", "model_id"], ["text_model.guild_id", "text_model.id"]),
        sa.CheckConstraint(
            "state IN ('queued', 'training', 'done', 'failed', 'cancelled')", name="state_known"
        ),
        sa.CheckConstraint("fraction BETWEEN 0 AND 1", name="fraction_of_one"),
        sa.CheckConstraint("minutes > 0", name="minutes_positive"),
        sa.Index(None, "guild_id", "created_at"),
        sa.Index(None, "state"),
    )
