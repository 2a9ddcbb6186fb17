"""What was kept long enough, and the files that must be deleted. Looks at every guild."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.personal_data import guild_ids
from models.shards import EVERY_GUILD, ServedShards
from models.tables import UNFINISHED, Corpus, FileRemoval, GuildSettings, Installation, TextModel, TrainingJob
from models.tables.columns import UtcDateTime

AT_ONCE = 200
"""Texts that one statement deletes, so that other writers do not wait for long."""


def expire_texts(
    session: Session, now: datetime, served: ServedShards = EVERY_GUILD, *, limit: int = AT_ONCE
) -> Sequence[Corpus]:
    """Mark texts as deleted whose guild keeps them no longer, and return them.

    A guild keeps a text for a number of days after its last training, or after its upload if there was none.
    A text that an unfinished training needs stays.

    Args:
        session: an open SQLAlchemy session that may write.
        now: the present moment (aware).
        served: the guilds to look at.
        limit: the most texts; if as many are returned, there may be more.
    """
    kept_for = GuildSettings.keep_corpora_days
    choices = session.scalars(sa.select(kept_for).where(kept_for.is_not(None)).distinct()).all()
    if not choices:
        return []
    # Databases add days to a time in ways of their own, so the times are computed here.
    until = {
        days: sa.literal(now - timedelta(days=days), UtcDateTime()) for days in choices if days is not None
    }
    kept_until = sa.case(until, value=kept_for)
    needed = [
        sa.exists().where(
            TrainingJob.guild_id == Corpus.guild_id,
            text == Corpus.id,
            sa.or_(TrainingJob.state.in_(UNFINISHED), TrainingJob.finished_at > kept_until),
        )
        for text in (TrainingJob.corpus_id, TrainingJob.validation_corpus_id)
    ]
    expired = (
        sa.select(Corpus.id)
        .join(GuildSettings, GuildSettings.guild_id == Corpus.guild_id)
        .where(
            kept_for.is_not(None),
            Corpus.text_deleted_at.is_(None),
            Corpus.created_at <= kept_until,
            served.rows(Corpus.guild_id),
            *(sa.not_(need) for need in needed),
        )
        .limit(limit)
    )
    marked = (
        sa.update(Corpus)
        .where(Corpus.id.in_(session.scalars(expired).all()))
        .values(text_deleted_at=now)
        .returning(Corpus)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return session.scalars(marked).all()


def presence_marks(session: Session, served: ServedShards = EVERY_GUILD) -> dict[int, bool]:
    """Return the ids of the served guilds, each with whether it is marked as having removed the bot."""
    marked = sa.select(GuildSettings.guild_id).where(GuildSettings.removed_at.is_not(None))
    left = set(session.scalars(marked))
    known = guild_ids(session) | left
    return {guild_id: guild_id in left for guild_id in sorted(known) if served.owns(guild_id)}


def left_before(session: Session, moment: datetime, served: ServedShards = EVERY_GUILD) -> Sequence[int]:
    """Return the served guilds that removed the bot before a moment."""
    left = sa.select(GuildSettings.guild_id).where(
        GuildSettings.removed_at < moment, served.rows(GuildSettings.guild_id)
    )
    return session.scalars(left).all()


def remove_files(session: Session, paths: Iterable[str], now: datetime) -> None:
    """Record files to delete once this transaction is committed, by their paths in the data directory."""
    session.add_all([FileRemoval(path=path, created_at=now) for path in sorted(set(paths))])
    session.flush()


def removals(session: Session) -> Sequence[FileRemoval]:
    """Return the files and folders that must be deleted, the oldest entry first."""
    return session.scalars(sa.select(FileRemoval).order_by(FileRemoval.id)).all()


def database_made_at(session: Session) -> datetime | None:
    """Return when this database was created; None if that is unknown.

    For a database from before this was recorded, it is a moment long ago. Files that are older belong to
    another database.
    """
    return session.scalars(sa.select(Installation.created_at)).first()


def lock_files(session: Session, guild_id: int) -> None:
    """Let nobody insert a row that names a file of the guild until this (writing) transaction ends."""
    session.get(GuildSettings, guild_id, with_for_update=True)


def claim_removal(session: Session, removal_id: int, guild_id: int) -> bool:
    """Return whether a file must still be deleted; `keep_files` waits until this (writing) transaction ends.

    Args:
        session: an open SQLAlchemy session that may write.
        removal_id: id of the row of `FileRemoval`.
        guild_id: Discord id of the guild that owns the file; whoever inserts a row for it holds its lock.
    """
    lock_files(session, guild_id)
    chosen = sa.select(FileRemoval.id).where(FileRemoval.id == removal_id).with_for_update()
    return session.scalar(chosen) is not None


def keep_files(session: Session, paths: Iterable[str]) -> None:
    """Remove files from the list of files to delete: this transaction inserts rows that name them."""
    session.execute(sa.delete(FileRemoval).where(FileRemoval.path.in_(list(paths))))


def removed(session: Session, ids: Iterable[int]) -> None:
    """Record that these files are deleted: drop their entries."""
    session.execute(sa.delete(FileRemoval).where(FileRemoval.id.in_(list(ids))))


def keys_of(session: Session, guild_id: int) -> set[str]:
    """Return what the guild's rows call their texts and bundles in the storage."""
    texts = sa.select(Corpus.path).where(Corpus.guild_id == guild_id, Corpus.text_deleted_at.is_(None))
    bundles = sa.select(TextModel.bundle_path).where(TextModel.guild_id == guild_id)
    return {*session.scalars(texts), *session.scalars(bundles)}


def everything_named(session: Session) -> tuple[set[str], set[tuple[int, str]]]:
    """Return what all rows call texts and bundles, and guild id and job id of all unfinished trainings."""
    texts = sa.select(Corpus.path).where(Corpus.text_deleted_at.is_(None))
    bundles = sa.select(TextModel.bundle_path)
    jobs = sa.select(TrainingJob.guild_id, TrainingJob.id).where(TrainingJob.state.in_(UNFINISHED))
    unfinished = {(guild_id, job_id) for guild_id, job_id in session.execute(jobs)}
    return {*session.scalars(texts), *session.scalars(bundles)}, unfinished


def trainings_in_use(session: Session, guild_id: int) -> set[str]:
    """Return the ids of the guild's unfinished trainings."""
    jobs = sa.select(TrainingJob.id).where(
        TrainingJob.guild_id == guild_id, TrainingJob.state.in_(UNFINISHED)
    )
    return set(session.scalars(jobs))
