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

DEFAULT_COOLDOWN_S = 3.0
"""Seconds between two samples of one person."""

DEFAULT_LONGEST_COPY = 50
"""Characters that a sample may have in common with its corpus in one piece."""

DEFAULT_TRAININGS_A_DAY = 20
DEFAULT_TRAININGS_A_PERSON = 2
"""Trainings that a guild may begin in 24 hours, and that one person may have queued or running."""

DEFAULT_SCHEDULES = 10
"""Schedules that a guild may have."""

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
    # Relative to the data directory, as are the bundles' paths.
    path: Mapped[str]
    characters: Mapped[int]
    lines: Mapped[int]
    symbols: Mapped[int]
    uploaded_by: Mapped[int] = mapped_column(sa.BigInteger)
    rights_confirmed_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    # When the stored text was deleted; the figures stay for the models that were trained on it.
    text_deleted_at: Mapped[datetime | None]

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
    # How many texts it wrote.
    generations: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    # It came in a zip file from elsewhere: nobody here trained it.
    imported: Mapped[bool] = mapped_column(default=False)

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


NO_CURVE = "[]"


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
    level: Mapped[str] = mapped_column(default="char")
    # The recipe's preset; None leaves it to the trainer.
    size: Mapped[str | None]
    # Texts to measure the loss on, and a model to go on from, where the person gave one.
    validation_corpus_id: Mapped[int | None]
    base_model_id: Mapped[int | None]
    # What the person was told about the corpus before it began, one line each.
    notes: Mapped[str] = mapped_column(default="")
    finish_requested: Mapped[bool] = mapped_column(default=False)
    # The workflow that trains it, once its turn has come.
    turn_id: Mapped[str | None] = mapped_column(sa.String(36))
    # JSON: what the loss curve is drawn from, [[seconds, training loss, validation loss or null], ...].
    curve: Mapped[str] = mapped_column(default=NO_CURVE)
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
    # JSON: what it wrote at fixed points of the training, [[fraction, text], ...].
    samples: Mapped[str] = mapped_column(default="[]")
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
        sa.ForeignKeyConstraint(["guild_id", "validation_corpus_id"], ["corpus.guild_id", "corpus.id"]),
        sa.ForeignKeyConstraint(["guild_id", "model_id"], ["text_model.guild_id", "text_model.id"]),
        sa.ForeignKeyConstraint(["guild_id", "base_model_id"], ["text_model.guild_id", "text_model.id"]),
        sa.CheckConstraint(
            "state IN ('queued', 'training', 'done', 'failed', 'cancelled')", name="state_known"
        ),
        sa.CheckConstraint("fraction BETWEEN 0 AND 1", name="fraction_of_one"),
        sa.CheckConstraint("minutes > 0", name="minutes_positive"),
        sa.Index(None, "guild_id", "created_at"),
        sa.Index(None, "state"),
    )


class FileRemoval(Base):
    """A file or folder that must go: written with the deletion of its row, carried out after it.

    It names no guild, so that it outlives the guild's rows; who looks next makes up for a crash.
    """

    __tablename__ = "file_removal"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Relative to the data directory.
    path: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Installation(Base):
    """The one row that says when this database was made."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


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
