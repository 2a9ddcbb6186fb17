"""The tables of uploaded texts, trainings, and the models that they make."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import NEVER_REUSE_IDS, Base
from models.tables.columns import by_value, partial_index, utc_now

NAME_CHARACTERS = 100
"""Longest name of a text model: the limit of an autocomplete choice in Discord."""


class Corpus(Base):
    """A text that somebody uploaded, with the statement that they may use it. Each upload has a row."""

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
    # Bytes of the file; None: it was stored before this was recorded, and is not measured yet.
    size: Mapped[int | None] = mapped_column(sa.BigInteger)
    uploaded_by: Mapped[int] = mapped_column(sa.BigInteger)
    rights_confirmed_at: Mapped[datetime]
    # Its uploader allowed that single lines of it are shown in the game.
    quotable: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    # When the stored text was deleted. The figures stay, for the models that learned from it.
    text_deleted_at: Mapped[datetime | None]

    __table_args__ = (
        sa.UniqueConstraint("guild_id", "id"),
        sa.Index(None, "guild_id", "sha256"),
        # The texts that are still stored, which housekeeping looks through.
        partial_index("ix_corpus_stored", ("guild_id", "created_at"), rows="text_deleted_at IS NULL"),
        NEVER_REUSE_IDS,
    )


class TextModel(Base):
    """A trained model of a guild. Names are compared by ``name_key``."""

    __tablename__ = "text_model"

    id: Mapped[int] = mapped_column(primary_key=True)
    guild_id: Mapped[int] = mapped_column(sa.BigInteger)
    name: Mapped[str] = mapped_column(sa.String(NAME_CHARACTERS))
    name_key: Mapped[str]
    bundle_path: Mapped[str]
    # Bytes of the bundle; None as for a corpus.
    size: Mapped[int | None] = mapped_column(sa.BigInteger)
    corpus_id: Mapped[int | None]
    # The job that made it, for the record: no foreign key, so that an old job can be deleted.
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
    # How many texts it has written.
    generations: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    # Imported from a zip file: nobody here trained it.
    imported: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        sa.UniqueConstraint("guild_id", "name_key"),
        sa.UniqueConstraint("guild_id", "id"),
        sa.ForeignKeyConstraint(["guild_id", "corpus_id"], ["corpus.guild_id", "corpus.id"]),
        NEVER_REUSE_IDS,
    )


class JobState(StrEnum):
    """The state of a training. It moves down this list and never back; the last three are final."""

    QUEUED = "queued"
    TRAINING = "training"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
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
    # The preset; None leaves the size to the trainer.
    size: Mapped[str | None]
    # The validation text and the base model, if the person gave them.
    validation_corpus_id: Mapped[int | None]
    base_model_id: Mapped[int | None]
    # Name of the pretrained base that is fine-tuned, if the person chose one.
    pretrained: Mapped[str | None] = mapped_column(sa.String(64))
    # Notes about the corpus for the person, one a line.
    notes: Mapped[str] = mapped_column(default="")
    finish_requested: Mapped[bool] = mapped_column(default=False)
    # Id of the workflow that trains it; None until its turn has come.
    turn_id: Mapped[str | None] = mapped_column(sa.String(36))
    # Rises each time that a process begins or goes on with it. Only the latest attempt may write.
    attempt: Mapped[int] = mapped_column(default=0)
    # JSON: points of the loss curve, [[seconds, training loss, validation loss or null], ...].
    curve: Mapped[str] = mapped_column(default=NO_CURVE)
    state: Mapped[JobState] = mapped_column(by_value(JobState), default=JobState.QUEUED)
    fraction: Mapped[float] = mapped_column(default=0.0)
    loss: Mapped[float | None]
    eta_s: Mapped[float | None]
    sample: Mapped[str | None]
    # JSON: samples from fixed points of the training, [[fraction, text], ...].
    samples: Mapped[str] = mapped_column(default="[]")
    validation_loss: Mapped[float | None]
    error: Mapped[str | None]
    model_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    # Every change increments it; the card is out of date while `shown_revision` is lower.
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
        sa.Index(None, "guild_id", "corpus_id"),
        sa.Index(None, "guild_id", "validation_corpus_id"),
        sa.Index(None, "state"),
        # When a guild's trainings ended, which says whose turn it is.
        partial_index("ix_training_job_ended", ("guild_id", "finished_at"), rows="started_at IS NOT NULL"),
        # The jobs whose card is out of date, which are few.
        partial_index(
            "ix_training_job_changed",
            ("updated_at", "id", "channel_id", "guild_id"),
            rows="shown_revision < revision",
        ),
    )
