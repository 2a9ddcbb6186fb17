"""The game *Real or Pastiche?*: rounds, one answer a person, and scores of those who keep one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.changes import insert_row
from models.shards import EVERY_GUILD, ServedShards
from models.tables import Corpus, GameAnswer, GameRound, GameScore, TextModel


class RoundValues(TypedDict):
    """What a round begins with; the table says what each value is."""

    channel_id: int
    started_by: int
    model_id: int
    is_real: bool
    nats_per_word: float
    expected_per_word: float
    locale: str
    closes_at: datetime


@dataclass(frozen=True)
class Tally:
    """What people said in a round."""

    real: int
    pastiche: int


def playable(session: Session, guild_id: int) -> Sequence[tuple[TextModel, Corpus]]:
    """Return the guild's models of whose text lines may be shown, with the texts."""
    chosen = (
        sa.select(TextModel, Corpus)
        .join(Corpus, (Corpus.guild_id == TextModel.guild_id) & (Corpus.id == TextModel.corpus_id))
        .where(TextModel.guild_id == guild_id, Corpus.quotable, Corpus.text_deleted_at.is_(None))
        .order_by(TextModel.id)
    )
    return [(model, corpus) for model, corpus in session.execute(chosen)]


def may_be_quoted(session: Session, guild_id: int, corpus_id: int | None) -> bool:
    """Return whether lines of a text may be shown at this moment."""
    chosen = sa.select(Corpus.id).where(
        Corpus.guild_id == guild_id,
        Corpus.id == corpus_id,
        Corpus.quotable,
        Corpus.text_deleted_at.is_(None),
    )
    return session.scalar(chosen) is not None


def begin(session: Session, guild_id: int, **values: Unpack[RoundValues]) -> GameRound:
    """Insert a round.

    Raises:
        sqlalchemy.exc.IntegrityError: the model is not one of this guild's.
    """
    return insert_row(session, GameRound(guild_id=guild_id, **values))


def get(session: Session, guild_id: int, round_id: int) -> GameRound | None:
    """Return one of the guild's rounds under way; None where the id is absent or another guild's."""
    return session.scalar(sa.select(GameRound).where(*_round(guild_id, round_id)))


def is_open_in(session: Session, guild_id: int, channel_id: int) -> bool:
    """Return whether a round is under way in a channel of the guild."""
    chosen = sa.select(GameRound.id).where(GameRound.guild_id == guild_id, GameRound.channel_id == channel_id)
    return session.scalar(chosen.limit(1)) is not None


def sent(session: Session, guild_id: int, round_id: int, message_id: int) -> None:
    """Record the message of a round."""
    session.execute(sa.update(GameRound).where(*_round(guild_id, round_id)).values(message_id=message_id))


def answer(session: Session, guild_id: int, round_id: int, user_id: int, *, says_real: bool) -> bool | None:
    """Record a person's answer, unless they have one.

    Returns:
        None if the answer was recorded; else what they said before.
    """
    key = {"guild_id": guild_id, "round_id": round_id, "answered_by": user_id}
    # On PostgreSQL two answers at once wait for each other here.
    session.scalar(sa.select(GameRound.id).where(*_round(guild_id, round_id)).with_for_update())
    known = session.get(GameAnswer, key)
    if known is not None:
        return known.says_real
    insert_row(session, GameAnswer(**key, says_real=says_real))
    return None


def due(
    session: Session, now: datetime, limit: int, served: ServedShards = EVERY_GUILD
) -> Sequence[GameRound]:
    """Return rounds of the served guilds whose time is over, the oldest first, for the bot itself."""
    chosen = sa.select(GameRound).where(GameRound.closes_at <= now, served.rows(GameRound.guild_id))
    return session.scalars(chosen.order_by(GameRound.closes_at, GameRound.id).limit(limit)).all()


def tally(session: Session, guild_id: int, round_id: int) -> Tally:
    """Return what people said in a round."""
    chosen = (
        sa.select(GameAnswer.says_real, sa.func.count())
        .where(*_answers(guild_id, round_id))
        .group_by(GameAnswer.says_real)
    )
    said = {row[0]: row[1] for row in session.execute(chosen)}
    return Tally(said.get(True, 0), said.get(False, 0))


def end(session: Session, guild_id: int, round_id: int) -> None:
    """Count the answers of those who keep a score, and delete the round with all its answers."""
    played = session.scalar(sa.select(GameRound).where(*_round(guild_id, round_id)).with_for_update())
    if played is None:
        return
    theirs = _answers(guild_id, round_id)
    for right in (True, False):
        said = played.is_real if right else not played.is_real
        people = sa.select(GameAnswer.answered_by).where(*theirs, GameAnswer.says_real == said)
        session.execute(
            sa.update(GameScore)
            .where(GameScore.guild_id == guild_id, GameScore.user_id.in_(people))
            .values({"rounds": GameScore.rounds + 1, "correct": GameScore.correct + int(right)})
            .execution_options(synchronize_session=False)
        )
    session.execute(sa.delete(GameAnswer).where(*theirs))
    session.execute(sa.delete(GameRound).where(*_round(guild_id, round_id)))
    session.expire_all()


def keeps_score(session: Session, guild_id: int, user_id: int) -> bool:
    """Return whether a person's answers are counted."""
    return session.get(GameScore, {"guild_id": guild_id, "user_id": user_id}) is not None


def keep_score(session: Session, guild_id: int, user_id: int, *, keep: bool) -> None:
    """Count a person's answers from now on, or delete their score."""
    if not keep:
        session.execute(
            sa.delete(GameScore).where(GameScore.guild_id == guild_id, GameScore.user_id == user_id)
        )
    elif not keeps_score(session, guild_id, user_id):
        insert_row(session, GameScore(guild_id=guild_id, user_id=user_id))


def scores(session: Session, guild_id: int, limit: int) -> Sequence[GameScore]:
    """Return the scores of the guild, the most right answers first."""
    chosen = sa.select(GameScore).where(GameScore.guild_id == guild_id, GameScore.rounds > 0)
    ordered = chosen.order_by(GameScore.correct.desc(), GameScore.rounds, GameScore.user_id)
    return session.scalars(ordered.limit(limit)).all()


def _round(guild_id: int, round_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return GameRound.guild_id == guild_id, GameRound.id == round_id


def _answers(guild_id: int, round_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return GameAnswer.guild_id == guild_id, GameAnswer.round_id == round_id
