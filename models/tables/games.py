"""The tables of the game *Real or Pastiche?*: rounds under way, their answers, and kept scores."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import NEVER_REUSE_IDS, Base
from models.tables.columns import utc_now


class GameRound(Base):
    """A round under way: a line, written by a person or by a model, that people judge until a moment.

    The line itself is not stored; it stands in the message. The row goes once the solution is told.
    """

    __tablename__ = "game_round"

    id: Mapped[int] = mapped_column(primary_key=True)
    guild_id: Mapped[int] = mapped_column(sa.BigInteger)
    channel_id: Mapped[int] = mapped_column(sa.BigInteger)
    # None until Discord has the message.
    message_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    started_by: Mapped[int] = mapped_column(sa.BigInteger)
    # The model whose text it is about; None if it was deleted since then.
    model_id: Mapped[int | None]
    is_real: Mapped[bool]
    # What the model says of the line, and of held-out text of as many tokens.
    nats_per_word: Mapped[float]
    expected_per_word: Mapped[float]
    # The language of the message.
    locale: Mapped[str] = mapped_column(sa.String(16))
    closes_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        sa.UniqueConstraint("guild_id", "id"),
        sa.ForeignKeyConstraint(["guild_id", "model_id"], ["text_model.guild_id", "text_model.id"]),
        sa.Index(None, "closes_at"),
        NEVER_REUSE_IDS,
    )


class GameAnswer(Base):
    """What a person said in a round under way. It goes with the round."""

    __tablename__ = "game_answer"

    guild_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    round_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    answered_by: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    says_real: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        sa.ForeignKeyConstraint(["guild_id", "round_id"], ["game_round.guild_id", "game_round.id"]),
    )


class GameScore(Base):
    """How often somebody was right, of those who asked that their answers be counted."""

    __tablename__ = "game_score"

    guild_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    rounds: Mapped[int] = mapped_column(default=0)
    correct: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (sa.CheckConstraint("correct BETWEEN 0 AND rounds", name="correct_of_rounds"),)
